"""Harm under load: nothing is lost, nothing is doubled, and all is answered afterwards."""

import tempfile
from pathlib import Path

import pytest

from tests.chaos.checker.check import check
from tests.chaos.run import commits, crashes, disks, upkeep, wire
from tests.chaos.run.menu import KILLS, OPERATIONS, STOPS, menu
from tests.chaos.run.report import least, page, report
from tests.chaos.run.running import Plan, Run, run

# In so short a time each has its turn when not all of it happens at once.
PAIR = (*KILLS, *STOPS, *OPERATIONS, *wire.MENU, *commits.MENU)


def of(harm: tuple[str, ...]) -> tuple[str, ...]:
    """What of it can be done on this machine."""
    return tuple(each for each in menu("small") if each in harm)


def test_the_pair_of_two_minutes_counts_from_eighty_faults_on() -> None:
    each = least(Run(Plan(120, 11, of(PAIR))))

    assert 2 * each["faults"] >= 80
    assert 2 * each["kills and stops"] >= 20
    assert 2 * each["on the wire in a transaction"] >= 20


@pytest.mark.nightly
@pytest.mark.timeout(500)
@pytest.mark.parametrize(
    ("seed", "seconds", "harm"),
    [
        (11, 120, PAIR),
        (12, 120, PAIR),
        (13, 240, (*crashes.MENU, *commits.MENU)),
        (14, 120, (*OPERATIONS, *upkeep.MENU, *disks.MENU)),
    ],
)
async def test_minutes_of_kills_and_broken_requests_break_no_promise(
    seed: int, seconds: int, harm: tuple[str, ...]
) -> None:
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 - at once
        made = await run(Plan(seconds, seed, of(harm)), Path(folder))

    told = report(made, check(made.history))
    assert told["verdict"] == "green", page(told)
