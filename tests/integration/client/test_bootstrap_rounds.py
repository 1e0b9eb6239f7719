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
    ProfileUpdated,
    SnapshotBegins,
    SnapshotEnds,
    StreamEvent,
    UserCreated,
    UserErased,
    UserState,
)
from authbus.kafka import connection
from authbus.topics import EVENTS
from tests.integration.client.conftest import NewStream
from tests.integration.client.crowd import HASTY, Crowd, a_crowd, hurry_the_cleaner
from tests.integration.client.stand_in import PARTITIONS, StandIn

SHORT, LONG = 4, 150


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param(SHORT, marks=pytest.mark.slow),
        pytest.param(LONG, marks=[pytest.mark.nightly, pytest.mark.timeout(1800)]),
    ],
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
    """What a downstream module makes of what it is told, and what it may be told at all.

    `gone` are the users of whose erasure it knows, `erased` all who are by now.
    """

    gone: set[UUID]
    erased: set[UUID]
    users: dict[UUID, int] = field(default_factory=dict[UUID, int])
    last: dict[UUID, int] = field(default_factory=dict[UUID, int])
    marks: set[UUID] = field(default_factory=set[UUID])
    passed: set[int] = field(default_factory=set[int])

    def hear(self, told: UserState | StreamEvent) -> bool:
        """Take it; whether a mark was heard in each partition, behind which nothing counts."""
        if isinstance(told, UserState):
            assert told.user_id not in self.gone, "an erased user came back"
            assert told.sequence > self.users.get(told.user_id, 0), "a state came twice"
            self.users[told.user_id] = told.sequence
        elif told.partition not in self.passed:
            self._take(told)
        return len(self.passed) == PARTITIONS[EVENTS.suffix]

    def _take(self, event: StreamEvent) -> None:
        user_id, sequence = event.user_id, event.sequence
        assert event.gap is None
        assert self.last.get(user_id, sequence - 1) == sequence - 1, "an event is missing"
        self.last[user_id] = sequence
        if user_id in self.marks:
            self.passed.add(event.partition)
        if isinstance(event.data, UserErased):
            self.users.pop(user_id, None)
            self.gone.add(user_id)
        elif isinstance(event.data, UserCreated | ProfileUpdated):
            early = self.users.get(user_id, 0) < sequence
            assert not early or user_id in self.erased, "an event came before its state"


async def _a_round(crowd: Crowd, stream: EventStream) -> None:
    """Build a view while the crowd lives, up to a moment, and look at it."""
    view, begun, alive = View(set(crowd.gone), crowd.gone), dict[UUID, int](), dict[UUID, int]()
    async with asyncio.timeout(60), stream, aclosing(stream.bootstrap()) as telling:
        async for told in telling:
            if isinstance(told, SnapshotBegins):
                begun = dict(crowd.told)
            elif isinstance(told, SnapshotEnds):
                view.marks, alive = await crowd.mark()
            elif view.hear(told):
                break
            await crowd.dawdle()
    # States may be ahead of the marks, and of a user's erasure that is behind them.
    assert alive.keys() - crowd.gone <= view.users.keys(), "a living user is missing"
    assert view.users.keys() <= alive.keys() | crowd.told.keys() - begun.keys()
    for user_id in alive.keys() & view.users.keys():
        heard = max(view.users[user_id], view.last.get(user_id, 0))
        assert heard >= alive[user_id] or alive[user_id] <= begun.get(user_id, 0)
