"""Harm under load: nothing is lost, nothing is doubled, and all is answered afterwards."""

import tempfile
from pathlib import Path

import pytest

from tests.chaos.checker.check import check
from tests.chaos.run import commits, crashes, wire
from tests.chaos.run.menu import menu
from tests.chaos.run.report import page, report
from tests.chaos.run.running import Plan, run


@pytest.mark.nightly
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("seed", "harm"),
    [
        (11, ()),
        (12, ()),
        # Each point, and each COMMIT, has its turn in so short a time when less else happens.
        (13, (*crashes.MENU, *commits.MENU, *wire.IN_A_TRANSACTION)),
    ],
)
async def test_two_minutes_of_kills_and_broken_requests_break_no_promise(
    seed: int, harm: tuple[str, ...]
) -> None:
    harm = harm or menu("small")
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 - at once
        made = await run(Plan(120, seed, harm), Path(folder))

    told = report(made, check(made.history))
    assert told["verdict"] == "green", page(told)
