"""A record is tried again while its failure may pass, and buried once for one that lasts."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from authbus.envelope import cloud_event
from authbus.state import DeadLetterReason
from authbus_service.consumers import finishing
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.finishing import Finishing
from authbus_service.consumers.labels import Labels
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.core.ids import new_id
from authbus_service.core.metrics import Metrics
from authbus_service.core.watch import Watch
from tests.rig.made import NOW, an_arrival

PASSES = [OSError("connection lost"), TimeoutError(), PoolTimeoutError("no connection")]
LASTS = [ValueError("a bug"), KeyError("a bug")]


class World:
    """A way that fails as it is told to, and a speaker that remembers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures: Iterator[Exception | None] = chain(failures, repeat(None))
        self.tries = 0
        self.buried: list[DeadLetterReason] = []
        self.finish = Finishing(self.way, self, Watch(Metrics()), "t")

    async def way(self, arrival: Arrival, labels: Labels) -> str:
        self.tries += 1
        if (failure := next(self.failures)) is not None:
            raise failure
        return "done"

    def answer(self, saying: object) -> None:
        raise AssertionError

    async def answered(self, saying: object) -> None:
        raise AssertionError

    async def bury(
        self, arrival: Arrival, reason: DeadLetterReason, command_id: str | None
    ) -> None:
        self.buried.append(reason)


@pytest.fixture
def arrival(monkeypatch: pytest.MonkeyPatch) -> Arrival:
    monkeypatch.setattr(finishing, "_AGAIN", (0.0,))
    headers = cloud_event(id=new_id(), type="authbus.LogIn.v1", source="/clients/web", time=NOW)
    return replace(an_arrival(0), headers=headers)


@pytest.mark.parametrize("failure", PASSES, ids=repr)
async def test_what_may_pass_is_tried_until_it_has_passed(
    arrival: Arrival, failure: Exception
) -> None:
    world = World(failure, failure, failure)

    await world.finish(arrival)

    assert world.tries == 4
    assert world.buried == []


@pytest.mark.parametrize("failure", LASTS, ids=repr)
async def test_what_lasts_is_buried_once_and_not_tried_again(
    arrival: Arrival, failure: Exception
) -> None:
    world = World(failure)

    await world.finish(arrival)

    assert world.tries == 1
    assert world.buried == [DeadLetterReason.FAILED]


async def test_what_cannot_be_read_is_buried_with_its_own_reason(arrival: Arrival) -> None:
    world = World(UnreadableError(DeadLetterReason.BAD_JSON))

    await world.finish(arrival)

    assert world.buried == [DeadLetterReason.BAD_JSON]


async def test_a_record_without_labels_is_never_tried(arrival: Arrival) -> None:
    world = World()

    await world.finish(replace(arrival, headers=[]))

    assert world.tries == 0
    assert len(world.buried) == 1
