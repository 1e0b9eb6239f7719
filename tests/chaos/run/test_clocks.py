"""A clock that is set wrong is wrong for what a service reads of it, and for nobody else."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from authbus_service.core import clock, ids
from tests.chaos.run import jumps
from tests.chaos.run.clocks import obey
from tests.chaos.run.jumps import JUMP, MENU, Jumps


def how_wrong() -> tuple[timedelta, timedelta]:
    """By how much the service's clock, and the time in its ids."""
    made = ids.id_time(ids.new_id())
    assert made is not None
    right = datetime.now(UTC)
    return clock.now() - right, made - right


@pytest.mark.parametrize(("name", "by"), [(MENU[0], JUMP), (MENU[1], -JUMP)])
async def test_a_jump_counts_when_the_process_saw_it_and_then_its_clock_is_right_again(
    name: str, by: timedelta, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "datetime", datetime)
    monkeypatch.setattr(ids, "uuid7", ids.uuid7)  # both are as before at the end
    monkeypatch.setattr(jumps, "_WRONG_SECONDS", (0.2, 0.2))
    monkeypatch.setenv("AUTHBUS_INSTANCE", "service0")
    stage, member = SimpleNamespace(orders=tmp_path), SimpleNamespace(name="service0")
    there: Any = (stage, [member], Random(7))
    fault = Jumps(*there).faults[name]
    obey(tmp_path)

    unseen = await fault()
    jumping = asyncio.ensure_future(fault())
    await asyncio.sleep(0.1)
    during = how_wrong()
    seen = await jumping

    assert (unseen, seen) == (False, True)
    assert all(abs(each - by) < timedelta(seconds=1) for each in during)
    assert all(abs(each) < timedelta(seconds=1) for each in how_wrong())
    assert not os.listdir(tmp_path)  # noqa: PTH208 - it is one small folder
