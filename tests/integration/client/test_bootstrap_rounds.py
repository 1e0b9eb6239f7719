"""Views built from nothing at random moments, while the cleaner runs."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer

from authbus import (
    EventStream,
    SnapshotBegins,
    SnapshotEnds,
    StreamEvent,
    UserCreated,
    UserErased,
    UserState,
    connection,
)
from authbus.topics import EVENTS
from tests.integration.client.conftest import NewStream
from tests.integration.client.crowd import HASTY, Crowd, a_crowd, hurry_the_cleaner
from tests.integration.client.stand_in import PARTITIONS, StandIn

SHORT, LONG = 12, 150


@pytest.mark.parametrize(
    "rounds",
    [SHORT, pytest.param(LONG, marks=[pytest.mark.nightly, pytest.mark.timeout(1800)])],
)
async def test_nothing_is_missed_or_repeated_and_nobody_comes_back_while_all_goes_on(
    service: StandIn, new_stream: NewStream, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    # Fetches of a few records, so that the cleaner comes between them.
    small = partial(AIOKafkaConsumer, max_partition_fetch_bytes=1500)
    monkeypatch.setattr(connection, "AIOKafkaConsumer", small)
    await hurry_the_cleaner(service.servers)
    async with a_crowd(service, HASTY, seed=rounds) as crowd:
        writing = asyncio.create_task(crowd.live(40))
        await asyncio.sleep(1)
        for number in range(rounds):
            await _a_round(crowd, new_stream(f"g{number}"))
        writing.cancel()
        await asyncio.wait([writing])
        left = await crowd.states()

    tombstones = [each for each in left if each.value is None]
    assert len(left) < sum(crowd.told.values()) / 3, "the cleaner has not run"
    assert len(tombstones) < len(crowd.gone) / 2, "the cleaner has not taken tombstones"


@dataclass
class View:
    """What a downstream module makes of what it is told, and what it may be told at all."""

    gone: frozenset[UUID]
    users: dict[UUID, int] = field(default_factory=dict[UUID, int])
    last: dict[UUID, int] = field(default_factory=dict[UUID, int])
    marks: set[UUID] = field(default_factory=set[UUID])
    passed: set[int] = field(default_factory=set[int])

    def hear(self, told: UserState | StreamEvent) -> bool:
        """Take it, unless a mark stood before it; whether there was one in each partition."""
        assert told.sequence > self.users.get(told.user_id, 0), "it came twice, or too late"
        if isinstance(told, UserState):
            assert told.user_id not in self.gone, "an erased user came back"
            self.users[told.user_id] = told.sequence
        elif told.partition not in self.passed:
            self._take(told)
        return len(self.passed) == PARTITIONS[EVENTS.suffix]

    def _take(self, event: StreamEvent) -> None:
        user_id = event.user_id
        assert event.gap is None
        assert self.last.get(user_id, event.sequence - 1) == event.sequence - 1, "one is missing"
        self.last[user_id] = event.sequence
        if user_id in self.marks:
            self.passed.add(event.partition)
        elif isinstance(event.data, UserErased):
            self.users.pop(user_id, None)
            self.gone |= {user_id}
        elif user_id in self.users or isinstance(event.data, UserCreated):
            self.users[user_id] = event.sequence


async def _a_round(crowd: Crowd, stream: EventStream) -> None:
    """Build a view while the crowd lives, up to a moment, and look at it."""
    view, begun, alive = View(frozenset(crowd.gone)), dict[UUID, int](), dict[UUID, int]()
    async with asyncio.timeout(60), stream, aclosing(stream.bootstrap()) as telling:
        async for told in telling:
            if isinstance(told, SnapshotBegins):
                begun = dict(crowd.told)
            elif isinstance(told, SnapshotEnds):
                view.marks, alive = await crowd.mark()
            elif view.hear(told):
                break
            await crowd.dawdle()
    assert view.users.keys() == alive.keys() - view.marks
    for user_id, sequence in view.users.items():
        if alive[user_id] > begun.get(user_id, 0):
            assert sequence == alive[user_id]
