"""`make mutants`: put each bug into a copy of the repository and see the tests aimed at it fail."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.bug import Bug
from tests.mutants.bugs import BUGS
from tests.mutants.hunting import Hunt, NoMeasureError, hunt, require_passing
from tests.mutants.report import line, page, report, summary
from tests.rig.repository_copy import copied

_REPORTS = Path("build")
_VOID = 2


def main() -> int:
    """1 when a bug was not found or it all took too long, 2 when nothing could be measured."""
    asked = argparse.ArgumentParser(prog="make mutants")
    asked.add_argument("--only", default="", help="bugs that have this in their name")
    only = asked.parse_args().only
    bugs = [each for each in BUGS if only in each.name]
    if not bugs:
        asked.error(f"no bug has this in its name: {only}")
    try:
        return _hunted(bugs)
    except NoMeasureError as error:
        print(error, file=sys.stderr)
        return _VOID


def _hunted(bugs: Sequence[Bug]) -> int:
    hunts: list[Hunt] = []
    with copied() as copy:
        without = require_passing(bugs, copy)
        print(f"{without:5.0f} s  without a bug: all pass", flush=True)
        for bug in bugs:
            hunts.append(hunt(bug, copy))
            print(line(hunts[-1]), flush=True)
    told = report(hunts, without)
    _REPORTS.mkdir(exist_ok=True)
    (_REPORTS / "mutants.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    (_REPORTS / "mutants.md").write_text(page(told), encoding="utf-8")
    print(f"{summary(told)}\nIn {_REPORTS}: mutants.md, mutants.json")
    return 0 if told["verdict"] == "green" else 1


if __name__ == "__main__":
    sys.exit(main())
