"""Where a topic's records lie: every partition that it has, not only those that are declared.

And whether one of them was read to its end.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from authbus.kafka.connection import SILENCE_MS
from authbus.kafka.stopping import stop


async def places_of(client: Mapping[str, Any], topics: Iterable[str]) -> list[TopicPartition]:
    """The partitions of these topics, in order; a topic may have more than it is declared with.

    `client` are aiokafka's keyword arguments. Raises KafkaError when nobody answers, or for a topic
    that is not there.
    """
    # The one end of aiokafka's that asks for named topics.
    producer = AIOKafkaProducer(**client, request_timeout_ms=SILENCE_MS)
    try:
        await producer.start()
        return [
            TopicPartition(topic, each)
            for topic in topics
            for each in sorted(await producer.partitions_for(topic))
        ]
    finally:
        await stop(producer)


async def is_past(consumer: AIOKafkaConsumer, place: TopicPartition, end: int) -> bool:
    """Whether all is read up to this offset, but for what an open transaction still holds back."""
    stable = consumer.last_stable_offset(place)
    return await consumer.position(place) >= (end if stable is None else min(end, stable))
