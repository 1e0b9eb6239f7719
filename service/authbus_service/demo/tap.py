"""A reader of every topic, who has no key: what can anybody see who can read all of Kafka?"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from authbus.topics import TOPICS, Topic, replies
from authbus_service.cluster.places import places_of

_POLL_MS = 100

Record = ConsumerRecord[bytes | None, bytes | None]


@dataclass
class Tap:
    """Reads all topics of a namespace from their start and remembers every byte."""

    bootstrap_servers: str
    namespace: str
    client_id: str
    show: Callable[[Topic, Record], None]
    security: dict[str, Any] = field(default_factory=dict)
    records: list[tuple[Topic, bytes]] = field(default_factory=list)

    async def run(self, until: asyncio.Event) -> None:
        """Read until told to stop, then to the end of what is there."""
        topics = {each.name(self.namespace): each for each in (*TOPICS, replies(self.client_id))}
        client: dict[str, Any] = {"bootstrap_servers": self.bootstrap_servers, **self.security}
        places = await places_of(client, topics)
        async with AIOKafkaConsumer(
            **client,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        ) as consumer:
            consumer.assign(places)
            while not until.is_set():
                await self._read(consumer, topics)
            ends = await consumer.end_offsets(places)
            while await self._behind(consumer, ends):
                await self._read(consumer, topics)

    def holding(self, texts: Iterable[str]) -> set[str]:
        """The topics on which any of these texts stands readable, in a value, key or header."""
        wanted = [text.encode() for text in texts]
        return {
            topic.name(self.namespace)
            for topic, content in self.records
            if any(text in content for text in wanted)
        }

    async def _read(self, consumer: AIOKafkaConsumer, topics: dict[str, Topic]) -> None:
        found = await consumer.getmany(timeout_ms=_POLL_MS)
        for place, records in found.items():
            for record in records:
                topic = topics[place.topic]
                headers = b"".join(name.encode() + value for name, value in record.headers)
                self.records.append((topic, (record.key or b"") + headers + (record.value or b"")))
                self.show(topic, record)

    async def _behind(self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
        for place, end in ends.items():
            if await consumer.position(place) < end:
                return True
        return False
