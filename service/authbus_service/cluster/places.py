"""Where a topic's records lie: every partition that it has, not only those that are declared."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient


async def places_of(client: Mapping[str, Any], topics: Iterable[str]) -> list[TopicPartition]:
    """The partitions of these topics, in order; none for a topic that is not there.

    A topic may have more partitions than it is declared with. `client` are aiokafka's keyword
    arguments. Raises KafkaError when nobody answers.
    """
    names = list(topics)
    kafka = AIOKafkaClient(**client)
    try:
        await kafka.bootstrap()
        await kafka.set_topics(names)
        there = {name: kafka.cluster.partitions_for_topic(name) or () for name in names}
    finally:
        await kafka.close()
    return [TopicPartition(name, each) for name in names for each in sorted(there[name])]
