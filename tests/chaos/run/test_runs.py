"""Harm under load: nothing is lost, nothing is doubled, and all is answered afterwards."""

import tempfile
from pathlib import Path

import pytest

from tests.chaos.checker.check import check
from tests.chaos.run import commits, crashes, disks, upkeep, wire
from tests.chaos.run.menu import KILLS, OPERATIONS, STOPS, menu
from tests.chaos.run.report import page, report
from tests.chaos.run.running import Plan, run


@pytest.mark.nightly
@pytest.mark.timeout(500)
@pytest.mark.parametrize(
    ("seed", "seconds", "harm"),
    [
        # In so short a time each has its turn when not all of it happens at once.
        (11, 120, (*KILLS, *STOPS, *OPERATIONS, *wire.MENU)),
        (12, 120, (*KILLS, *STOPS, *OPERATIONS, *wire.MENU)),
        (13, 240, (*crashes.MENU, *commits.MENU)),
        (14, 120, (*OPERATIONS, *upkeep.MENU, *disks.MENU)),
    ],
)
async def test_minutes_of_kills_and_broken_requests_break_no_promise(
    seed: int, seconds: int, harm: tuple[str, ...]
) -> None:
    harm = tuple(each for each in menu("small") if each in harm)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 - at once
        made = await run(Plan(seconds, seed, harm), Path(folder))

    told = report(made, check(made.history))
    assert told["verdict"] == "green", page(told)
