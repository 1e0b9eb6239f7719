"""`make chaos`: harm a running service from a seed, and judge all that it did and said."""

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from random import SystemRandom

from tests.chaos.checker.check import check
from tests.chaos.checker.history import History
from tests.chaos.run.menu import PROFILES, CannotBeHadError, menu
from tests.chaos.run.page import page
from tests.chaos.run.report import report
from tests.chaos.run.running import run
from tests.chaos.run.runs import Plan

_EXIT = {"green": 0, "broken": 1, "void": 2}
_REPORTS = Path("build/chaos")


def main() -> int:
    """Run once; 1 when something is wrong, 2 when too little happened."""
    asked = argparse.ArgumentParser(prog="make chaos")
    asked.add_argument("--seed", type=int, default=SystemRandom().randrange(100_000))
    asked.add_argument("--seconds", type=float, default=120.0)
    asked.add_argument("--profile", choices=PROFILES, default="small")
    given = asked.parse_args()
    try:
        harm = menu(given.profile)
    except CannotBeHadError as error:
        sys.exit(f"make chaos: {error}")
    # A client says of each try that a broker is not there, which is the point.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    folder = _REPORTS / f"seed-{given.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    plan = Plan(given.seconds, given.seed, harm, given.profile)
    with tempfile.TemporaryDirectory(prefix="chaos-") as servers:
        Path(servers).chmod(0o711)
        made = asyncio.run(run(plan, Path(servers)))
        for each in Path(servers).glob("service*.log"):
            shutil.copy(each, folder)
    findings = check(made.history)
    told = report(made, findings)
    (folder / "report.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    (folder / "report.md").write_text(page(told), encoding="utf-8")
    if told["verdict"] != "green":
        write(made.history, folder / "history.json")
    print(page(told) + f"\nIn {folder}: report.json, report.md and the logs")
    return _EXIT[told["verdict"]]


def write(history: History, to: Path) -> None:
    """The whole history; bytes and places as text."""
    told = asdict(history)
    for state in (replay[when] for replay in told["replays"] for when in ("before", "after")):
        state["events"] = {f"{name}/{n}": count for (name, n), count in state["events"].items()}
    to.write_text(json.dumps(told, default=_plain), encoding="utf-8")


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


if __name__ == "__main__":
    sys.exit(main())
