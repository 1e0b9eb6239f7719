"""All users first, then events: where the two meet, so that nothing is missed and nothing repeated.

For each partition: the end of the events, then the states up to an end that is taken after it, then
the events from the first end on, without those that a state has in it already, and before each the
state that it made.

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
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from authbus.errors import AuthUnavailable
from authbus.kafka.connection import Connection
from authbus.state import UserState
from authbus.stream.changes import Changes
from authbus.stream.events import StreamEvent
from authbus.stream.overlap import Overlap
from authbus.stream.patience import REST_SECONDS, patiently
from authbus.stream.snapshot import Snapshot
from authbus.stream.told import SnapshotBegins, SnapshotEnds

# Beside a partition's offset: its users are being told, or are told and with them all states below.
TELLING = "authbus: telling users"
_TOLD = "authbus: users told, states below "

_LOG = logging.getLogger("authbus")
_COMMIT_SECONDS = 5.0
_POLL_SECONDS = 1.0
_READ_MS = 20


@dataclass(frozen=True, slots=True)
class _Beginning:
    offset: int
    states: int | None = None
    fresh: bool = False


class Bootstrap:
    """What one loop over `EventStream.bootstrap()` knows of the partitions that it was given."""

    def __init__(self, connection: Connection, group: str, *, events: str, states: str) -> None:
        """`events` and `states` are the topics' names."""
        self._connection, self._group = connection, group
        self._events, self._states = events, states
        self._admitted: set[TopicPartition] = set()
        self._overlaps: dict[TopicPartition, Overlap] = {}
        self._behind: set[int] = set()
        self._changes = Changes(connection, states)
        self._turn = 0

    async def __aenter__(self) -> Self:
        """Connect. Raises MissingTopic and AuthUnavailable."""
        await self.check()
        await self._changes.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        await self._changes.close()

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
        untold = sorted(at for at in beginnings if beginnings[at].states is None)
        if turn == self._turn and untold:
            # Before it is kept: what was to be told as fresh would be so for nobody else.
            yield SnapshotBegins(fresh=all(beginnings[at].fresh for at in untold))
        begins = turn == self._turn and await self._begin(consumer, beginnings)
        if not (begins and untold):
            return
        consumer.pause(*consumer.assignment())
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
        async with self._reader() as reader:
            for at in untold:
                place = TopicPartition(self._states, at.partition)
                snapshot = Snapshot(reader, place, await self._changes.end(place), poll)
                async with aclosing(snapshot.users()) as users:
                    async for state in users:
                        yield state
                until = await self._changes.end(at)
                if turn != self._turn:
                    return
                self._changes.follow({at.partition: snapshot.position})
                self._overlaps[at] = Overlap(until, snapshot.known, snapshot.erased)

    async def changes(self, partition: int) -> AsyncGenerator[UserState]:
        """The new states of a partition, before events that were fetched from it are given out."""
        if partition not in self._behind:
            return
        async with aclosing(self._changes.until_now(partition)) as states:
            async for state in states:
                yield state
        self._behind.discard(partition)

    def fetched(self, at: TopicPartition) -> bool:
        """Events have come from here; False when it is not known yet where to read them from."""
        self._behind.add(at.partition)
        return at in self._admitted

    def mark(self, at: TopicPartition) -> str:
        """What to write beside the partition's offset."""
        return f"{_TOLD}{self._changes.told(at.partition)}"

    def holds(self, at: TopicPartition) -> bool:
        """Whether this partition's offset must stay where it was at the beginning."""
        return at in self._overlaps

    def covers(self, event: StreamEvent) -> bool:
        """Whether this event is in a state that was told, or of a user who is gone."""
        overlap = self._overlaps.get(TopicPartition(event.topic, event.partition))
        return overlap is not None and overlap.covers(event)

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
            self._changes.forget(at.partition)

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
                found[at] = _Beginning(end, fresh=True)
            else:
                states = mark.removeprefix(_TOLD)
                found[at] = _Beginning(offset, int(states) if states.isdecimal() else None)
        return found

    async def _begin(
        self, consumer: AIOKafkaConsumer, beginnings: dict[TopicPartition, _Beginning]
    ) -> bool:
        """Keep where it begins, and go there. False when the group does not let us now."""
        turn = self._turn
        marked = {
            at: (each.offset, TELLING) for at, each in beginnings.items() if each.states is None
        }
        try:
            if marked:
                async with asyncio.timeout(_COMMIT_SECONDS):
                    await consumer.commit(marked)
            if turn != self._turn:
                return False
            for at, each in beginnings.items():
                consumer.seek(at, each.offset)
        except (KafkaError, TimeoutError) as error:
            _LOG.warning("the beginning could not be kept and is tried again: %r", error)
            await asyncio.sleep(REST_SECONDS)
            return False
        self._admitted |= beginnings.keys()
        self._changes.follow(
            {
                at.partition: each.states
                for at, each in beginnings.items()
                if each.states is not None
            }
        )
        return True

    @asynccontextmanager
    async def _reader(self) -> AsyncGenerator[AIOKafkaConsumer]:
        # It goes from partition to partition, and cannot go on before Kafka has answered.
        reader = self._connection.consumer(wait_ms=_READ_MS)
        try:
            await self._connection.open(reader)
            yield reader
        finally:
            await self._connection.close(reader)
