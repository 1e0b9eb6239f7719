"""EventStream: the events of auth.events.v1 as an asynchronous iterator of a consumer group.

An event is finished when the loop's body has come back for the next one; only then is its offset
committed. A body that raises, or a process that dies, gets it again.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Self, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from authbus.errors import AuthUnavailable
from authbus.kafka.connection import Connection
from authbus.kafka.following import Record
from authbus.kafka.security import Security
from authbus.stream.beginning import Beginning, zoned
from authbus.stream.bootstrap import Bootstrap
from authbus.stream.events import StreamEvent, readable_event
from authbus.stream.handover import Handover
from authbus.stream.memory import Memory
from authbus.stream.offsets import Offsets, place_of
from authbus.stream.patience import HANG_SECONDS, REST_SECONDS
from authbus.stream.told import Told
from authbus.topics import DEFAULT_NAMESPACE, EVENTS, USERS_STATE

_LOG = logging.getLogger("authbus")
_POLL_MS = 200
_AT_ONCE = 500


class EventStream:
    """Events, each once and in its user's order; `async for event in EventStream(...)`.

    A new group begins with the oldest event. What comes twice is dropped, also after a restart as
    far as the group's offsets reach; what was missed is told by `event.gap`; kinds of events that
    this version does not know are passed over. Use it in `async with` to close it at a known time.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        group: str,
        since: datetime | None = None,
        namespace: str = DEFAULT_NAMESPACE,
        timeout: float = 15.0,
        security: Security | None = None,
    ) -> None:
        """`group` is the name under which Kafka keeps how far this module has read.

        What happened before `since` is passed over; a new group begins there, in place of the
        oldest event. Raises ValueError for a time without a zone.

        `security` is how Kafka is reached; without it in the clear and without a log-in.
        """
        self._connection = Connection(bootstrap_servers, group, security, timeout)
        self._group, self._since = group, zoned(since)
        self._topic, self._states = EVENTS.name(namespace), USERS_STATE.name(namespace)
        self._consumer: AIOKafkaConsumer | None = None
        self._records: deque[Record] = deque()
        self._memory, self._offsets = Memory(), Offsets()
        self._bootstrap: Bootstrap | None = None

    async def __aenter__(self) -> Self:
        """Connect. Raises MissingTopic and AuthUnavailable."""
        await self._connection.places([self._topic])
        consumer = self._connection.consumer(self._group)
        await self._connection.open(consumer)
        self._handover = Handover(self._hand_over, Beginning(consumer, self._since))
        consumer.subscribe([self._topic], listener=self._handover)
        self._consumer = consumer
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Commit what is finished and leave the group."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            try:
                await self._offsets.commit(consumer)
            finally:
                await self._connection.close(consumer)
        self._records.clear()
        self._memory, self._offsets = Memory(), Offsets()
        self._bootstrap = None

    @property
    def open(self) -> bool:
        """Whether it is connected."""
        return self._consumer is not None

    def __aiter__(self) -> AsyncGenerator[StreamEvent]:
        """Events as they come, without end. Opens the stream for itself when it is not open."""
        return cast("AsyncGenerator[StreamEvent]", self._told(None))

    def bootstrap(self) -> AsyncGenerator[Told]:
        """Every user's state, then events and new states: a view of all users, built from nothing.

        Events are those from now on; of older ones a new group hears by the states alone.
        A user who is erased is not told, or told of by `UserErased`. No event comes that a state
        of the beginning has in it already; later an event comes behind the state that it made, or a
        newer one. The group remembers how far it is: users are told once, in the loop of a
        new group, and again when that loop did not come to `SnapshotEnds` and a little further.
        Members of one group share the users as they share the events. Raises ValueError where
        `since` was given: states are of now.
        """
        if self._since is not None:
            raise ValueError("since= is for a loop over events; bootstrap() begins with all users")
        return self._told(
            Bootstrap(self._connection, self._group, events=self._topic, states=self._states)
        )

    async def _told(self, bootstrap: Bootstrap | None) -> AsyncGenerator[Told]:
        async with AsyncExitStack() as stack:
            if self._consumer is None:
                await stack.enter_async_context(self)
            if bootstrap is not None:
                await stack.enter_async_context(bootstrap)
            await self._begin(bootstrap)
            while (consumer := self._consumer) is not None:
                record = await self._next(consumer)
                async with aclosing(self._before(bootstrap, consumer, record)) as users:
                    async for told in users:
                        yield told
                if record is None or not self._is_next(record):
                    continue
                event = self._heard(record)
                if event is not None:
                    yield event
                    self._memory.keep_id(event)
                self._finish(record, event)

    async def _before(
        self, bootstrap: Bootstrap | None, consumer: AIOKafkaConsumer, record: Record | None
    ) -> AsyncGenerator[Told]:
        """What must be told before this event: users who are new here, and the state it made."""
        if bootstrap is None or (record is None and self._handover.settling):
            return
        if record is None:
            told = bootstrap.users(consumer, self._stay)
        else:
            told = bootstrap.changes(record.partition)
        async with aclosing(told):
            async for each in told:
                yield each

    async def _begin(self, bootstrap: Bootstrap | None) -> None:
        """Another kind of loop begins: what the last one kept fetched or paused comes again."""
        if bootstrap is self._bootstrap:
            return
        self._bootstrap = bootstrap
        if self._consumer is not None:
            await self._offsets.commit(self._consumer)
            for record in reversed(self._records):
                self._consumer.seek(place_of(record), record.offset)
            self._consumer.resume(*self._consumer.assignment())
        self._records.clear()
        self._offsets.mark = None if bootstrap is None else bootstrap.mark

    async def _stay(self) -> None:
        """Show the group that this member is alive, while it reads no events."""
        if self._consumer is not None:
            await self._fetch(self._consumer, 0)

    async def _hand_over(self, places: list[TopicPartition]) -> None:
        """Forget what was not given out, or it came twice, and commit before others read on."""
        self._records.clear()
        if self._consumer is not None:
            await self._offsets.commit(self._consumer)
        if self._bootstrap is not None:
            self._bootstrap.forget(places)
        self._offsets.forget(places)
        self._memory.forget(place.partition for place in places)

    async def _next(self, consumer: AIOKafkaConsumer) -> Record | None:
        """The oldest record that is not finished, if any: it stays where it is until `_finish`."""
        if self._offsets.due:
            await self._offsets.commit(consumer)
        if not self._records:
            if self._bootstrap is not None:
                for at, offset in (await self._bootstrap.passed(consumer)).items():
                    self._offsets.reach(at, offset)
            await self._fetch(consumer, _POLL_MS)
            # aiokafka hands out what it has fetched without ever letting others run.
            await asyncio.sleep(0)
        return self._records[0] if self._records else None

    async def _fetch(self, consumer: AIOKafkaConsumer, wait_ms: int) -> None:
        try:
            async with asyncio.timeout(HANG_SECONDS):
                found = await consumer.getmany(timeout_ms=wait_ms, max_records=_AT_ONCE)
        except (GroupAuthorizationFailedError, TopicAuthorizationFailedError) as error:
            raise AuthUnavailable(
                f"no right to read {self._topic} as group {self._group}: "
                "allow this module's Kafka principal READ on both"
            ) from error
        except (KafkaError, TimeoutError) as error:
            _LOG.warning("reading from Kafka failed and is tried again: %r", error)
            await asyncio.sleep(REST_SECONDS)
            return
        for at, records in found.items():
            if self._bootstrap is None or self._bootstrap.fetched(at):
                self._records.extend(records)

    def _heard(self, record: Record) -> StreamEvent | None:
        """The event to give out; None for a duplicate, an unknown kind, and what is no event."""
        event = readable_event(record)
        if event is None or self._memory.has(event):
            return None
        if self._since is not None and event.time < self._since:
            return None
        if self._bootstrap is not None and self._bootstrap.covers(event):
            self._memory.keep_sequence(event)
            return None
        gap = self._memory.gap(event)
        if event.known:
            return replace(event, gap=gap)
        # A gap before a kind that is passed over is told with the next event of the user.
        if gap is None:
            self._memory.keep_sequence(event)
        return None

    def _is_next(self, record: Record) -> bool:
        return bool(self._records) and self._records[0] is record

    def _finish(self, record: Record, event: StreamEvent | None) -> None:
        # After a rebalance during the body the record is not ours to finish.
        if not self._is_next(record):
            return
        self._records.popleft()
        if self._bootstrap is None or not self._bootstrap.holds(place_of(record)):
            self._offsets.finish(record)
        if event is not None:
            self._memory.keep_sequence(event)
