"""What is known of a record is looked up shortly before its copy is sent."""

from typing import Any, cast

import pytest

from authbus.topics import SESSIONS
from authbus_service.core.ids import new_id
from authbus_service.reading.records import Record
from authbus_service.replay.commands import Plan, turns


@pytest.mark.parametrize(
    ("rate", "sizes"),
    [(None, [25]), (500.0, [25]), (2.5, [25]), (1.0, [10, 10, 5]), (0.01, [1] * 25)],
)
def test_a_slow_replay_looks_at_no_more_than_it_sends_in_ten_seconds(
    rate: float | None, sizes: list[int]
) -> None:
    plan, records = Plan(SESSIONS, new_id(), 0, rate=rate), cast("list[Record]", [*range(25)])

    parts: list[Any] = [*turns(records, plan)]

    assert [len(each) for each in parts] == sizes
    assert [each for part in parts for each in part] == records
