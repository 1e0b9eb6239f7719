"""What the runbook has `make` do is what the programs behind it are ready to do."""

import os
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.chaos.run import __main__ as chaos
from tests.chaos.run.menu import Profile
from tests.chaos.run.release import RUNS
from tests.chaos.run.report import report
from tests.chaos.run.runs import Plan, Run
from tests.drill import __main__ as drills
from tests.drill.drill import Accident


def asked_of(module: str, line: str, repository: Path) -> list[str]:
    """The module and what it is given by the last that `make` would run."""
    make, *target = shlex.split(line)
    printed = subprocess.run(
        (make, "--dry-run", *target),
        cwd=repository,
        env={"PATH": os.environ["PATH"]},  # nothing of a `make` that runs this test
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    python, *rest = shlex.split(printed.splitlines()[-1])
    assert (python, *rest[:2]) == (".venv/bin/python", "-m", module)
    return rest[1:]


@pytest.mark.parametrize(
    ("line", "profile"), [("make chaos", "small"), ("make chaos PROFILE=full", "full")]
)
def test_chaos_is_two_minutes_of_what_an_hour_is_made_of_before_a_release(
    line: str,
    profile: str,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("CRITICAL", "aiokafka")  # the program does; the fixture takes it back
    planned, judged = list[Plan](), list[Plan]()

    def plan(profile: Profile, seed: int, seconds: float) -> Plan:
        planned.append(Plan(seconds, seed, (), profile))
        return planned[-1]

    def judge(given: Plan) -> dict[str, Any]:
        judged.append(given)
        return report(Run(given), [])

    monkeypatch.setattr(chaos, "planned", plan)
    monkeypatch.setattr(chaos, "judged", judge)
    monkeypatch.setattr(sys, "argv", asked_of("tests.chaos.run", line, repository))
    chaos.main()

    assert [(each.profile, each.seconds) for each in judged] == [(profile, 120)]
    assert planned == judged
    assert profile in {each for each, _, _ in RUNS}


def test_a_drill_is_twenty_losses_in_each_of_both_ways_under_500_users(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drilled = list[tuple[Accident, int, int]]()

    def drill(accident: Accident, seed: int, users: int) -> int:
        drilled.append((accident, seed, users))
        return 0

    monkeypatch.setattr(drills, "_one", drill)
    monkeypatch.setattr(sys, "argv", asked_of("tests.drill", "make drill", repository))

    assert drills.main() == 0
    ways = get_args(Accident)
    assert Counter(accident for accident, _, _ in drilled) == dict.fromkeys(ways, 20)
    assert len({*drilled}) == len(drilled)
    assert {users for _, _, users in drilled} == {500}
