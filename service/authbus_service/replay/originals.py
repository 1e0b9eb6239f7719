"""The record that a dead letter stands for, read by its coordinates."""

from dataclasses import dataclass
from hashlib import sha256

from aiokafka import TopicPartition

from authbus.state import DeadLetter
from authbus.topics import COMMAND_TOPICS, Topic
from authbus_service.cluster import Admin
from authbus_service.consumers.arrival import Arrival, arrival
from authbus_service.reading.ranges import Span, partitions_of, read, reader
from authbus_service.reading.records import Record

_TOPICS = {each.suffix: each for each in COMMAND_TOPICS}


@dataclass(frozen=True, slots=True)
class Originals:
    """Reads records of command topics."""

    admin: Admin
    namespace: str

    async def of(self, letter: DeadLetter) -> Arrival | None:
        """The record, if it still lies there and is the one that the letter tells of."""
        topic = _TOPICS.get(letter.topic)
        record = None if topic is None else await self._at(topic, letter)
        if topic is None or record is None:
            return None
        if sha256(record.value or b"").hexdigest() != letter.digest:
            return None
        return arrival(topic, record)

    async def _at(self, topic: Topic, letter: DeadLetter) -> Record | None:
        place = TopicPartition(topic.name(self.namespace), letter.partition)
        if place not in await partitions_of(self.admin, place.topic):
            return None
        async with reader(self.admin) as consumer:
            consumer.assign([place])
            first = (await consumer.beginning_offsets([place]))[place]
            end = (await consumer.end_offsets([place]))[place]
            if not first <= letter.offset < end:
                return None
            there = {place: Span(letter.offset, letter.offset + 1)}
            async for records in read(consumer, there):
                return next((each for each in records if each.offset == letter.offset), None)
        return None
