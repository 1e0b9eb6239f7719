"""The time until no transaction is open any more that was open at the heal."""

from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from tests.chaos.checker.history import Stable
from tests.chaos.run import looker
from tests.chaos.run.looker import Looker

ONE, TWO = ("events.v1", 0), ("events.v1", 1)


class Looks(Looker):
    """What each look finds: the partitions with an open transaction; None: nobody answers."""

    def __init__(self, *found: set[tuple[str, int]] | None) -> None:
        stage: Any = None
        super().__init__(stage)
        self.found = [*found]

    async def stable(self) -> list[Stable]:
        hanging = self.found.pop(0)
        if hanging is None:
            raise KafkaConnectionError
        return [Stable(each, 8, 9 if each in hanging else 8) for each in (ONE, TWO)]


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ([set(), {ONE}], 1),
        ([None, {ONE, TWO}, {ONE}, None, set(), {ONE}], 1),
        # Another transaction of a partition that was seen without one.
        ([{ONE}, {TWO}, {ONE}], 1),
        ([{ONE}, {ONE, TWO}, {ONE}, {TWO}], 0),
    ],
)
async def test_it_is_over_when_each_partition_was_seen_without_an_open_transaction(
    found: list[set[tuple[str, int]] | None], left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looker, "_PAUSE", 0.0)
    looks = Looks(*found)

    await looks.until_stable()

    assert len(looks.found) == left
