"""`make fuzz`: send bad inputs of every class to a running service, and say what became of them."""

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

from authbus_service.core.database import connect
from authbus_service.core.migrations import migrate
from authbus_service.embedded import EmbeddedStack
from tests.fuzz.case import Family
from tests.fuzz.corpus.classes import CLASSES
from tests.fuzz.corpus.identities import forms_of_forms
from tests.fuzz.corpus.mutations import MUTATIONS
from tests.fuzz.driving import MIB, Result, calibrate, drive
from tests.fuzz.ear import CLIENTS
from tests.fuzz.looking import looked
from tests.fuzz.report import line, page, report
from tests.fuzz.stage import staged
from tests.rig.serving import settings_of

_EXIT = {"green": 0, "broken": 1, "void": 2}
_REPORTS = Path("build/fuzz")
_FORMS = 1_000_000
# The embedded broker takes 4 MiB at once, others this much: their bombs are larger.
_AS_USUAL = {"socket.request.max.bytes": str(100 * MIB)}


def main() -> int:
    """Run once; 1 when something is wrong, 2 when it cannot be told."""
    asked = argparse.ArgumentParser(prog="make fuzz")
    asked.add_argument("--seed", type=int, default=SystemRandom().randrange(100_000))
    asked.add_argument("--count", type=int, help="cases of each class, instead of all")
    asked.add_argument("--only", default="", help="classes that have this in their name")
    given = asked.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    folder = _REPORTS / f"seed-{given.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    classes = [each for each in CLASSES if given.only in each.name]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        Path(place).chmod(0o711)
        told = asyncio.run(run(classes, given.seed, Path(place), count=given.count))
        if told["verdict"] == "broken":
            shutil.copy(Path(place) / "service.log", folder)
    (folder / "report.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    (folder / "report.md").write_text(page(told), encoding="utf-8")
    print(page(told) + f"\nIn {folder}: report.json, report.md")
    return _EXIT[told["verdict"]]


async def run(
    classes: Sequence[Family],
    seed: int,
    folder: Path,
    *,
    count: int | None = None,
    by_chance: int = MUTATIONS.least,
) -> dict[str, Any]:
    """Servers, a service, all of these classes: `count` cases of each, or as many as they need."""
    counts = {each.name: count or each.least for each in classes}
    if MUTATIONS.name in counts and count is None:
        counts[MUTATIONS.name] = by_chance
    forms = forms_of_forms(Random(seed), _FORMS if count is None else 1000 * count)
    wrong = [f"{each} has a form of a form" for each in forms]
    async with EmbeddedStack(data=folder / "servers", broker_config=_AS_USUAL) as stack:
        database = connect(stack.addresses.database_url)
        await migrate(database)
        await database.close()
        url = stack.addresses.database_url
        settings = settings_of(stack.addresses, "auth", url, folder, CLIENTS)
        async with staged(settings, folder, seed) as stage:
            good = await calibrate(stage)
            results: list[Result] = []
            for each in classes:
                results.append(await drive(stage, each, str(seed), counts[each.name]))
                print(line(results[-1]), file=sys.stderr)
            wrong += await looked(stage)
            return report(results, wrong, seed=seed, good=good)


if __name__ == "__main__":
    sys.exit(main())
