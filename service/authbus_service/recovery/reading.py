"""The records of topics, from a time on, up to where they end when reading begins."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from authbus.kafka.stopping import stop
from authbus.topics import Topic
from authbus_service.cluster.patience import patience, require_heard
from authbus_service.cluster.places import places_of
from authbus_service.consumers.bounded import poll, read_bounded
from authbus_service.core.database import Database
from authbus_service.relay.epoch import settle_past

Record = ConsumerRecord[Any, Any]

_AT_ONCE = 2000
_WAIT_MS = 200
# Of each partition so much is held ahead: 36 of them have commands.
_FETCH = 256 * 1024


@dataclass(slots=True)
class Reader:
    """Reads topics up to `ends`: where they ended when reading began."""

    consumer: AIOKafkaConsumer
    topics: Mapping[str, Topic]
    ends: Mapping[TopicPartition, int]
    left: set[TopicPartition]
    _silent: float = 0.0

    async def some(self, places: Iterable[TopicPartition]) -> list[tuple[Topic, Record]]:
        """What came next on any of these places, each place's in its order; maybe nothing yet.

        Raises KafkaTimeoutError when Kafka has been away for long, over however many calls.
        """
        asked = list(places)
        found: list[Record] = []
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with patience():
            before = [await self.consumer.position(place) for place in asked]
            await poll(self.consumer, *asked, into=found, wait_ms=_WAIT_MS, at_once=_AT_ONCE)
            after = [await self.consumer.position(place) for place in asked]
        self._silent = self._silent + loop.time() - began if after == before else 0.0
        require_heard(self._silent)
        for place, position in zip(asked, after, strict=True):
            if position >= self.ends[place]:
                self.left.discard(place)
        return [
            (self.topics[each.topic], each)
            for each in found
            if each.offset < self.ends[TopicPartition(each.topic, each.partition)]
        ]


@dataclass(frozen=True, slots=True)
class Topics:
    """One cluster's topics of one namespace. `security` are aiokafka's keyword arguments."""

    servers: str
    namespace: str
    security: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @asynccontextmanager
    async def reader(
        self, topics: Iterable[Topic], since: datetime | None
    ) -> AsyncGenerator[Reader]:
        """Begin at this time; with None at the oldest record that is still there."""
        named = {topic.name(self.namespace): topic for topic in topics}
        places = await places_of(self._client, named)
        consumer = self._consumer()
        await consumer.start()
        try:
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            left = await _seek(consumer, places, since, ends)
            yield Reader(consumer, named, ends, left)
        finally:
            await stop(consumer)

    async def batches(
        self, topics: Iterable[Topic], since: datetime | None
    ) -> AsyncGenerator[list[tuple[Topic, Record]]]:
        """What was committed to these topics; `since` None: all that is still there."""
        async with self.reader(topics, since) as reader:
            while reader.left:
                if found := await reader.some(reader.left):
                    yield found

    async def settle(self, database: Database) -> None:
        """End what a relay of this database had begun to say: nothing comes behind the ends."""
        await settle_past(database, self.namespace, self._client)

    @property
    def _client(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.servers, **self.security}

    def _consumer(self) -> AIOKafkaConsumer:
        read_bounded()
        return AIOKafkaConsumer(
            **self._client,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_FETCH,
        )


async def _seek(
    consumer: AIOKafkaConsumer,
    places: list[TopicPartition],
    since: datetime | None,
    ends: Mapping[TopicPartition, int],
) -> set[TopicPartition]:
    """Go to the first record of this time or later; returns where there is something to read."""
    begin = dict(await consumer.beginning_offsets(places))
    if since is not None:
        moment = int(since.timestamp() * 1000)
        found = await consumer.offsets_for_times(dict.fromkeys(places, moment))
        begin = {place: at.offset if at else ends[place] for place, at in found.items()}
    for place, offset in begin.items():
        consumer.seek(place, offset)
    return {place for place in places if begin[place] < ends[place]}
