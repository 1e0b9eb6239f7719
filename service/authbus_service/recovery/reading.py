"""The records of topics, from a time on, up to where they end when reading begins."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from authbus.topics import Topic
from authbus_service.consumers.bounded import read_bounded

Record = ConsumerRecord[Any, Any]
Place = tuple[str, int]

AT_ONCE = 2000
_WAIT_MS = 200


@dataclass(frozen=True, slots=True)
class Topics:
    """One cluster's topics of one namespace. `security` are aiokafka's keyword arguments."""

    servers: str
    namespace: str
    security: Mapping[str, Any] = field(default_factory=dict[str, Any])

    async def batches(
        self, topics: Iterable[Topic], since: datetime | None
    ) -> AsyncGenerator[list[tuple[Topic, Record]]]:
        """What was committed to these topics; `since` None: all that is still there."""
        named = {topic.name(self.namespace): topic for topic in topics}
        places = [
            TopicPartition(name, each)
            for name, topic in named.items()
            for each in range(topic.partitions)
        ]
        consumer = self._consumer()
        await consumer.start()
        try:
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            left = await _seek(consumer, places, since, ends)
            while left:
                found = await consumer.getmany(*left, timeout_ms=_WAIT_MS, max_records=AT_ONCE)
                records = [(named[place.topic], each) for place in found for each in found[place]]
                if records:
                    yield [(topic, each) for topic, each in records if _is_before(each, ends)]
                left = {each for each in left if await consumer.position(each) < ends[each]}
        finally:
            await consumer.stop()

    async def ends(self, topics: Iterable[Topic]) -> dict[Place, int]:
        """Where these topics end now: (topic without namespace, partition) -> next offset."""
        consumer = self._consumer()
        await consumer.start()
        try:
            found: dict[Place, int] = {}
            for topic in topics:
                name = topic.name(self.namespace)
                places = [TopicPartition(name, each) for each in range(topic.partitions)]
                ends = await consumer.end_offsets(places)
                found |= {(topic.suffix, place.partition): end for place, end in ends.items()}
            return found
        finally:
            await consumer.stop()

    def _consumer(self) -> AIOKafkaConsumer:
        read_bounded()
        return AIOKafkaConsumer(
            bootstrap_servers=self.servers,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **self.security,
        )


def _is_before(record: Record, ends: Mapping[TopicPartition, int]) -> bool:
    return record.offset < ends[TopicPartition(record.topic, record.partition)]


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
