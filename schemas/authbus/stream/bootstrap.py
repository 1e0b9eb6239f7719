"""All users first, then events: where the two meet, so that nothing is missed and nothing repeated.

For each partition: the end of the events, then the states up to an end that is taken after it, then
the events from the first end on, without those that a state has in it already.

The first end is kept in the group's offsets, with a mark beside it, before the first user is told,
and moved only when the events have passed all that the states knew. Whoever begins again, after a
crash or as another member, tells the users again and goes on from the same end: an erasure in
between is an event behind it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from authbus.connection import Connection
from authbus.errors import AuthUnavailable
from authbus.events import UserErased
from authbus.state import UserState
from authbus.stream.events import StreamEvent
from authbus.stream.patience import REST_SECONDS, patiently
from authbus.stream.snapshot import Snapshot

# Beside a partition's offset: its users are being told, or are told.
TELLING = "authbus: telling users"
TOLD = "authbus: users told"

_LOG = logging.getLogger("authbus")
_COMMIT_SECONDS = 5.0
_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SnapshotBegins:
    """The states of all users come next.

    `fresh`: Kafka knows of no earlier beginning of this group, so a view that is kept from one must
    be emptied now. Else users of an earlier beginning are told again, and their erasure will be.
    """

    fresh: bool


@dataclass(frozen=True, slots=True)
class SnapshotEnds:
    """All users are told, so many; events come next."""

    users: int


Told = UserState | StreamEvent | SnapshotBegins | SnapshotEnds


@dataclass(frozen=True, slots=True)
class _Beginning:
    offset: int
    mark: str
    fresh: bool = False


@dataclass(slots=True)
class _Overlap:
    """What the states of a partition knew; events before `until` may be in it."""

    until: int
    known: dict[UUID, int] = field(repr=False)
    erased: set[UUID] = field(repr=False)


class Bootstrap:
    """What one loop over `EventStream.bootstrap()` knows of the partitions that it was given."""

    def __init__(self, connection: Connection, group: str, *, events: str, states: str) -> None:
        """`events` and `states` are the topics' names."""
        self._connection, self._group = connection, group
        self._events, self._states = events, states
        self._admitted: set[TopicPartition] = set()
        self._overlaps: dict[TopicPartition, _Overlap] = {}
        self._turn = 0

    async def check(self) -> None:
        """Raises AuthUnavailable where a user's events and states are not in the same partition."""
        places = await self._connection.places([self._events, self._states])
        if places[self._events] != places[self._states]:
            raise AuthUnavailable(
                f"{self._events} and {self._states} must have the same number of partitions"
            )

    async def users(
        self, consumer: AIOKafkaConsumer, poll: Callable[[], Awaitable[None]]
    ) -> AsyncGenerator[UserState | SnapshotBegins | SnapshotEnds]:
        """The users of partitions that are new here; `poll` keeps this member in its group.

        It ends early when the group gives the partitions to others.
        """
        came, turn = consumer.assignment() - self._admitted, self._turn
        if not came:
            return
        beginnings = await self._beginnings(consumer, came)
        if turn != self._turn or not await self._begin(consumer, beginnings):
            return
        untold = sorted(at for at in beginnings if beginnings[at].mark == TELLING)
        if not untold:
            return
        consumer.pause(*consumer.assignment())
        yield SnapshotBegins(fresh=all(beginnings[at].fresh for at in untold))
        async with aclosing(self._tell(untold, poll)) as states:
            polled = time.monotonic()
            async for state in states:
                if time.monotonic() > polled + _POLL_SECONDS:
                    await poll()
                    polled = time.monotonic()
                if turn != self._turn:
                    return
                yield state
        if turn != self._turn:
            return
        consumer.resume(*consumer.assignment())
        yield SnapshotEnds(sum(len(self._overlaps[at].known) for at in untold))

    async def _tell(
        self, untold: Iterable[TopicPartition], poll: Callable[[], Awaitable[None]]
    ) -> AsyncGenerator[UserState]:
        turn = self._turn
        async with self._readers() as (reader, marks):
            for at in untold:
                place = TopicPartition(self._states, at.partition)
                snapshot = Snapshot(reader, place, await _end(marks, place), poll)
                async with aclosing(snapshot.users()) as users:
                    async for state in users:
                        yield state
                until = await _end(marks, at)
                if turn != self._turn:
                    return
                self._overlaps[at] = _Overlap(until, snapshot.known, snapshot.erased)

    def admits(self, at: TopicPartition) -> bool:
        """Whether it is known where to read this partition from."""
        return at in self._admitted

    def holds(self, at: TopicPartition) -> bool:
        """Whether this partition's offset must stay where it was at the beginning."""
        return at in self._overlaps

    def covers(self, event: StreamEvent) -> bool:
        """Whether this event is in a state that was told, or of a user who is gone."""
        overlap = self._overlaps.get(TopicPartition(event.topic, event.partition))
        if overlap is None:
            return False
        if event.user_id in overlap.erased:
            return event.type != UserErased.wire_type()
        return event.sequence <= overlap.known.get(event.user_id, 0)

    async def passed(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """Partitions whose events are beyond all states that were told, and how far they are.

        Ask when every event that was fetched is finished.
        """
        found: dict[TopicPartition, int] = {}
        for at in self._overlaps.keys() & consumer.assignment():
            position = await consumer.position(at)
            if at in self._overlaps and position >= self._overlaps[at].until:
                del self._overlaps[at]
                found[at] = position
        return found

    def forget(self, places: Iterable[TopicPartition]) -> None:
        """These partitions are another member's now."""
        self._turn += 1
        for at in places:
            self._admitted.discard(at)
            self._overlaps.pop(at, None)

    async def _beginnings(
        self, consumer: AIOKafkaConsumer, places: Iterable[TopicPartition]
    ) -> dict[TopicPartition, _Beginning]:
        # Ends of what is committed: a state of an event before it is written before it, too.
        ends = await patiently(consumer.end_offsets, list(places))
        kept = await patiently(self._connection.committed, self._group, ends)
        found: dict[TopicPartition, _Beginning] = {}
        for at, end in ends.items():
            offset, mark = kept.get(at, (-1, ""))
            if offset < 0:
                found[at] = _Beginning(end, TELLING, fresh=True)
            else:
                found[at] = _Beginning(offset, TOLD if mark == TOLD else TELLING)
        return found

    async def _begin(
        self, consumer: AIOKafkaConsumer, beginnings: dict[TopicPartition, _Beginning]
    ) -> bool:
        """Keep where it begins, and go there. False when the group does not let us now."""
        marked = {
            at: (each.offset, TELLING) for at, each in beginnings.items() if each.mark == TELLING
        }
        try:
            if marked:
                async with asyncio.timeout(_COMMIT_SECONDS):
                    await consumer.commit(marked)
            for at, each in beginnings.items():
                consumer.seek(at, each.offset)
        except (KafkaError, TimeoutError) as error:
            _LOG.warning("the beginning could not be kept and is tried again: %r", error)
            await asyncio.sleep(REST_SECONDS)
            return False
        self._admitted |= beginnings.keys()
        return True

    @asynccontextmanager
    async def _readers(self) -> AsyncGenerator[tuple[AIOKafkaConsumer, AIOKafkaConsumer]]:
        """One that reads what is committed, and one that sees all that was written."""
        reader = self._connection.consumer()
        marks = self._connection.consumer(isolation="read_uncommitted")
        try:
            await self._connection.open(reader)
            await self._connection.open(marks)
            yield reader, marks
        finally:
            await self._connection.close(reader)
            await self._connection.close(marks)


async def _end(marks: AIOKafkaConsumer, at: TopicPartition) -> int:
    """The end of all that was written, also in transactions that are open.

    Kafka ends a transaction in one partition after the other, so a state may be open for a moment
    longer than its event. Committed records before this end are waited for.
    """
    return (await patiently(marks.end_offsets, [at]))[at]
