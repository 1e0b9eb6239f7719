"""Harm under load: nothing is lost, nothing is doubled, and all is answered afterwards."""

import tempfile
from pathlib import Path

import pytest

from tests.chaos.checker.check import check
from tests.chaos.run import commits, crashes, disks, upkeep, wire
from tests.chaos.run.menu import KILLS, OPERATIONS, STOPS, menu
from tests.chaos.run.page import page
from tests.chaos.run.report import least, report
from tests.chaos.run.running import run
from tests.chaos.run.runs import Plan, Run

# In so short a time each has its turn when not all of it happens at once.
PAIR = (*KILLS, *STOPS, *OPERATIONS, *wire.MENU, *commits.MENU)
SEEDS = pytest.mark.seeds
# Faults take time and load takes cores: with fewer people the same faults meet less of it.
FEW = 4


def of(harm: tuple[str, ...]) -> tuple[str, ...]:
    """What of it can be done on this machine."""
    return tuple(each for each in menu("small") if each in harm)


def test_the_pair_of_two_minutes_counts_from_eighty_faults_on() -> None:
    each = least(Run(Plan(120, 11, of(PAIR))))

    assert 2 * each["faults"] >= 80
    assert 2 * each["kills and stops"] >= 20
    assert 2 * each["on the wire in a transaction"] >= 20


NIGHTLY = (
    Plan(240, 13, of((*crashes.MENU, *commits.MENU))),
    Plan(120, 14, of((*OPERATIONS, *upkeep.MENU, *disks.MENU))),
)


@pytest.mark.timeout(500)
@pytest.mark.parametrize(
    "plan",
    [
        *(pytest.param(Plan(120, each, of(PAIR), askers=FEW), marks=SEEDS) for each in (11, 12)),
        *(pytest.param(each, marks=pytest.mark.nightly) for each in NIGHTLY),
    ],
    ids=lambda plan: f"seed-{plan.seed}",
)
async def test_minutes_of_kills_and_broken_requests_break_no_promise(plan: Plan) -> None:
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 - at once
        made = await run(plan, Path(folder))

    told = report(made, check(made.history))
    assert told["verdict"] == "green", page(told)
