"""Runs the tests aimed at bugs: all of them without a bug, then each with its own.

What counts is a test that failed. A fixture that could not be made says nothing of the code: with
a Kafka that does not come up, every bug would be found.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tests.mutants.bug import Bug
from tests.rig.repository_copy import environment

_SECONDS, _SECONDS_OF_ALL = 240, 1800
# Enough for a difference that a bug makes; chance needs more.
_ROUNDS = "20"
_FAILED = re.compile(r"^FAILED \S+?::(\S+)", re.MULTILINE)
_ERROR = re.compile(r"^ERROR (\S+)", re.MULTILINE)
# How pytest ends when all passed, and when some did not.
_PASSED, _SOME_DID_NOT = 0, 1
_TOLD = 3000


@dataclass(frozen=True, slots=True)
class Hunt:
    """How a bug fared: `by` is the test that found it, None: nobody did.

    `errors` are what could not run meanwhile.
    """

    bug: Bug
    by: str | None
    seconds: float
    errors: tuple[str, ...] = ()


class NoMeasureError(RuntimeError):
    """The tests do not pass as the code is, or could not be run: nothing is known of any bug."""


def require_passing(bugs: Sequence[Bug], copy: Path) -> float:
    """Run all that is aimed at these bugs once, without one, and say how many seconds it took.

    Raises NoMeasureError unless all pass. Slow ones run one after the other, as they do with a
    bug: they measure times.
    """
    began = monotonic()
    for marks in sorted({_marks(each) for each in bugs}):
        tests = sorted({test for each in bugs if _marks(each) == marks for test in each.tests})
        beside = ("-n", "2", "--dist", "loadfile") if marks and len(tests) > 1 else ()
        done = _run(copy, (*beside, *marks, *tests), _SECONDS_OF_ALL)
        if done.returncode != _PASSED:
            raise NoMeasureError(f"without any bug these do not pass:\n{_end(done)}")
    return monotonic() - began


def hunt(bug: Bug, copy: Path) -> Hunt:
    """Put it in, run its tests, take it out. Raises NoMeasureError when they cannot be run."""
    file = copy / bug.path
    right, began = file.read_text(encoding="utf-8"), monotonic()
    bug.put_into(copy)
    try:
        by, errors = _found_by(bug, copy)
    finally:
        file.write_text(right, encoding="utf-8")
    return Hunt(bug, by, monotonic() - began, errors)


def _found_by(bug: Bug, copy: Path) -> tuple[str | None, tuple[str, ...]]:
    tests = (*_marks(bug), *bug.tests)
    done = _run(copy, ("-x", *tests), _SECONDS)
    if done.returncode == _SOME_DID_NOT and not _FAILED.search(done.stdout):
        # An error has ended the run before a test could fail.
        done = _run(copy, tests, _SECONDS)
    failed, errors = _FAILED.search(done.stdout), tuple(_ERROR.findall(done.stdout))
    if done.returncode != _PASSED and (done.returncode != _SOME_DID_NOT or not (failed or errors)):
        raise NoMeasureError(f"{bug.name}: the tests could not run:\n{_end(done)}")
    return (failed[1] if failed else None), errors


def _run(
    copy: Path, arguments: Sequence[str], seconds: float
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-p", "no:randomly", "--timeout", "60", *arguments),
        ],
        cwd=copy,
        env={**environment(copy), "ROUNDS": _ROUNDS},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def _end(done: "subprocess.CompletedProcess[str]") -> str:
    return (done.stdout + done.stderr)[-_TOLD:]


def _marks(bug: Bug) -> tuple[str, ...]:
    are_named = all("::" in each for each in bug.tests)
    return () if are_named else ("-m", "not gate and not slow and not nightly")
