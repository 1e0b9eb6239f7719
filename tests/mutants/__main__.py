"""`make mutants`: put each bug into a copy of the repository and see the tests aimed at it fail."""

import argparse
import re
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tests.mutants.bug import Bug
from tests.mutants.bugs import BUGS
from tests.rig.repository_copy import copied, environment

_SECONDS = 240
_MOST_MEDIAN, _MOST_TOGETHER = 60.0, 40 * 60.0
# Enough for a difference that a bug makes; chance needs more.
_ROUNDS = "20"
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S+?::(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Hunt:
    """How a bug fared: `by` is the test that found it, None: nobody did."""

    bug: Bug
    by: str | None
    seconds: float


def main() -> int:
    """1 when a bug was not found, or when it all took too long."""
    asked = argparse.ArgumentParser(prog="make mutants")
    asked.add_argument("--only", default="", help="bugs that have this in their name")
    bugs = [each for each in BUGS if asked.parse_args().only in each.name]
    hunts: list[Hunt] = []
    with copied() as copy:
        for bug in bugs:
            hunts.append(_hunt(bug, copy))
            print(_line(hunts[-1]), flush=True)
    return _judged(hunts)


def _judged(hunts: list[Hunt]) -> int:
    seconds = [each.seconds for each in hunts]
    median, together = statistics.median(seconds), sum(seconds)
    found = sum(each.by is not None for each in hunts)
    print(f"{found} of {len(hunts)} found, median {median:.0f} s, {together / 60:.1f} min in all")
    is_quick = median < _MOST_MEDIAN and together < _MOST_TOGETHER
    return 0 if found == len(hunts) and is_quick else 1


def _hunt(bug: Bug, copy: Path) -> Hunt:
    file = copy / bug.path
    right, began = file.read_text(encoding="utf-8"), monotonic()
    bug.put_into(copy)
    try:
        by = _found_by(bug, copy)
    finally:
        file.write_text(right, encoding="utf-8")
    return Hunt(bug, by, monotonic() - began)


def _found_by(bug: Bug, copy: Path) -> str | None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"),
            *("-p", "no:randomly", *_marks(bug), "--timeout", "60"),
            *bug.tests,
        ],
        cwd=copy,
        env={**environment(copy), "ROUNDS": _ROUNDS},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    failed = _FAILED.search(done.stdout)
    if done.returncode not in (0, 1) or (done.returncode and not failed):
        raise RuntimeError(f"{bug.name}: the tests could not run:\n{done.stdout[-2000:]}")
    return failed[1] if failed else None


def _marks(bug: Bug) -> tuple[str, ...]:
    are_named = all("::" in each for each in bug.tests)
    return () if are_named else ("-m", "not gate and not nightly")


def _line(hunt: Hunt) -> str:
    found = f"found by {hunt.by}" if hunt.by else "NOT FOUND"
    return f"{hunt.seconds:5.0f} s  {hunt.bug.name}: {found}"


if __name__ == "__main__":
    sys.exit(main())
