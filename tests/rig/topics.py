"""What is on a topic, and topics of a test that is over: a broker can hold only so many."""

from collections.abc import AsyncGenerator
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from authbus.topics import Topic


async def records(
    servers: str, topic: Topic, namespace: str
) -> AsyncGenerator[ConsumerRecord[Any, Any]]:
    """All that was committed to a topic until now."""
    places = [TopicPartition(topic.name(namespace), each) for each in range(topic.partitions)]
    async with AIOKafkaConsumer(
        bootstrap_servers=servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(each) < ends[each] for each in places]):
            for found in (await consumer.getmany(timeout_ms=50)).values():
                for record in found:
                    yield record


async def forget(servers: str, namespace: str) -> None:
    """Delete every topic of this namespace.

    Each partition maps index files into the broker's memory, and of such maps a kernel allows a
    process 65,530 by default: all tests together need more.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if name.startswith(f"{namespace}.")]
        if names:
            await admin.delete_topics(names)
    finally:
        await admin.close()
