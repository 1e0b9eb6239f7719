"""Following topics without a group: from a fixed place to the end, then as records come."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from authbus.kafka.connection import Connection, Places
from authbus.kafka.guarding import is_readable, tell_passed_over

Record = ConsumerRecord[bytes | None, bytes | None]
Since = Literal["beginning", "end"] | timedelta

_LOG = logging.getLogger("authbus")
_POLL_SECONDS = 1.0
_HANG_SECONDS = 30.0
_REST_SECONDS = 1.0
# Few enough that opening that many replies does not hold the loop for long.
_AT_ONCE = 32
# How soon a partition is found that a topic got meanwhile.
_LOOK_MS = 2000


def _nothing(_: object) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One topic: where to begin, and who reads it. A `timedelta` is so long ago.

    `expect` is told of its partitions before they are read, and of those that it gets later.
    `begins` is told from which time on it is read where that is so long ago.
    """

    topic: str
    since: Since
    read: Callable[[Record], None]
    expect: Callable[[Iterable[int]], None] = _nothing
    begins: Callable[[datetime], None] = _nothing


class Follower:
    """One consumer for several feeds. `start` returns when what was there has been read."""

    def __init__(self, connection: Connection, feeds: Iterable[Feed]) -> None:
        self._connection = connection
        self._feeds: Mapping[str, Feed] = {feed.topic: feed for feed in feeds}
        self._consumer: AIOKafkaConsumer | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, places: Places) -> None:
        """Fix the place in each feed, read up to the end, follow from then on.

        Raises AuthUnavailable, and then nothing is left running.
        """
        consumer = self._connection.consumer(look_ms=_LOOK_MS)
        await self._connection.open(consumer)
        for feed in self._feeds.values():
            feed.expect(places[feed.topic])
        try:
            async with asyncio.timeout(self._connection.patience) as limit:
                await self._catch_up(consumer, places, limit)
        except BaseException as error:
            await self._connection.close(consumer)
            if isinstance(error, TimeoutError | KafkaError):
                raise self._connection.unreachable(error) from error
            raise
        self._consumer = consumer
        self._task = asyncio.create_task(self._follow(consumer), name="authbus follower")

    async def stop(self) -> None:
        """End the following; harmless when it has not begun."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._consumer is not None:
            await self._connection.close(self._consumer)
        self._task = self._consumer = None

    async def _catch_up(
        self, consumer: AIOKafkaConsumer, places: Places, limit: asyncio.Timeout
    ) -> None:
        """Read up to what are the ends now. The limit begins anew while that gets nearer."""
        here = [TopicPartition(topic, number) for topic in self._feeds for number in places[topic]]
        consumer.assign(here)
        ends = await consumer.end_offsets(here)
        for place, offset in (await self._beginnings(consumer, ends)).items():
            consumer.seek(place, offset)
        left = await _left(consumer, ends)
        while left:
            await self._take(consumer)
            before, left = left, await _left(consumer, ends)
            if left < before:
                limit.reschedule(asyncio.get_running_loop().time() + self._connection.patience)

    async def _beginnings(
        self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        first = await consumer.beginning_offsets(list(ends))
        begin = dict(ends)
        times: dict[TopicPartition, int] = {}
        for place in ends:
            match self._feeds[place.topic].since:
                case "beginning":
                    begin[place] = first[place]
                case timedelta() as ago:
                    since = datetime.now(UTC) - ago
                    self._feeds[place.topic].begins(since)
                    times[place] = int(since.timestamp() * 1000)
                case "end":
                    pass
        found = await consumer.offsets_for_times(times) if times else {}
        begin |= {place: at.offset for place, at in found.items() if at is not None}
        return begin

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                await self._take(consumer)
                await self._widen(consumer)
            except Exception as error:  # noqa: BLE001 - whatever it is, following goes on
                _LOG.warning("reading from Kafka failed and is tried again: %r", error)
                await asyncio.sleep(_REST_SECONDS)

    async def _widen(self, consumer: AIOKafkaConsumer) -> None:
        """Follow the partitions that a topic got meanwhile, from their first record on."""
        here = consumer.assignment()
        there = {topic: consumer.partitions_for_topic(topic) or () for topic in self._feeds}
        found = {TopicPartition(topic, number) for topic in there for number in there[topic]}
        if found <= here:
            return
        async with asyncio.timeout(_HANG_SECONDS):
            positions = {place: await consumer.position(place) for place in here}
        for topic, numbers in there.items():
            self._feeds[topic].expect(numbers)
        consumer.assign([*(here | found)])
        for place, offset in positions.items():
            consumer.seek(place, offset)

    async def _take(self, consumer: AIOKafkaConsumer) -> None:
        async with asyncio.timeout(_HANG_SECONDS):
            found = await consumer.getmany(
                timeout_ms=int(_POLL_SECONDS * 1000), max_records=_AT_ONCE
            )
        for records in found.values():
            for record in records:
                self._read(record)
        # aiokafka hands out what it has fetched without ever letting others run.
        await asyncio.sleep(0)

    def _read(self, record: Record) -> None:
        if not is_readable(record):
            return
        try:
            self._feeds[record.topic].read(record)
        except Exception as error:  # noqa: BLE001 - one record must not end the feed
            tell_passed_over(record, error)


async def _left(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> int:
    """How far all places together are from these ends."""
    return sum([max(0, end - await consumer.position(place)) for place, end in ends.items()])
