"""Kills under load: nothing is lost, nothing is doubled, and all is answered afterwards."""

import tempfile
from pathlib import Path

import pytest

from tests.chaos.checker.check import check
from tests.chaos.run.nemesis import KILLS
from tests.chaos.run.report import page, report
from tests.chaos.run.running import Plan, run


@pytest.mark.gate
@pytest.mark.timeout(150)
async def test_kills_of_everything_break_no_promise() -> None:
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 - at once
        made = await run(Plan(seconds=15, seed=11, menu=KILLS), Path(folder))

    told = report(made, check(made.history))
    assert told["verdict"] == "green", page(told)
