"""The topics of a test: few partitions are made and let go of faster, and show as much."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError

from authbus.topics import Topic
from authbus_service.cluster import Admin, declared
from authbus_service.cluster.places import places_of

FEW = 2


async def made(
    servers: str, namespace: str, clients: Iterable[str], *, partitions: int = FEW
) -> None:
    """Make all topics, with so many partitions where more than one is declared."""
    wanted = [
        replace(each, partitions=partitions if each.partitions > 1 else 1)
        for each in declared(namespace, clients, 1)
    ]
    async with Admin.connect(servers, {}) as admin:
        await admin.create(each.new() for each in wanted)
        names = [each.name for each in wanted]
        while len(await admin.topics(names)) < len(names):  # noqa: ASYNC110 - Kafka wakes nobody
            await asyncio.sleep(0.01)


async def a_partition(servers: str, namespace: str) -> TopicPartition:
    """The one partition of a new topic that is none of the declared ones."""
    at = TopicPartition(f"{namespace}.topic", 0)
    async with _administering(servers) as admin:
        await admin.create_topics([NewTopic(at.topic, 1, 1)])
    return at


async def widen(
    servers: str, topic: str, partitions: int, *, tell: AIOKafkaProducer | None = None
) -> None:
    """Give a topic more partitions, and wait until this producer knows of them."""
    async with _administering(servers) as admin:
        await admin.create_partitions({topic: NewPartitions(partitions)})
    while tell is not None and len(await tell.partitions_for(topic)) < partitions:
        await tell.client.force_metadata_update()


async def places(servers: str, topic: Topic, namespace: str) -> list[TopicPartition]:
    """The partitions that a topic has."""
    return await places_of({"bootstrap_servers": servers}, [topic.name(namespace)])


async def records(
    servers: str, topic: Topic, namespace: str
) -> AsyncGenerator[ConsumerRecord[Any, Any]]:
    """All that was committed to a topic until now."""
    of_topic = await places(servers, topic, namespace)
    async with AIOKafkaConsumer(
        bootstrap_servers=servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        consumer.assign(of_topic)
        ends = await consumer.end_offsets(of_topic)
        while any([await consumer.position(each) < ends[each] for each in of_topic]):
            for found in (await consumer.getmany(timeout_ms=50)).values():
                for record in found:
                    yield record


async def remove(servers: str, name: str) -> None:
    """Delete one topic, and wait until no broker names it any more."""
    async with _administering(servers) as admin, asyncio.timeout(30):
        await admin.delete_topics([name])
        while name in await admin.list_topics():  # noqa: ASYNC110 - a broker learns of it later
            await asyncio.sleep(0.05)


async def forget(servers: str, namespace: str) -> None:
    """Delete every topic of this namespace.

    Each partition maps index files into the broker's memory, and of such maps a kernel allows a
    process 65,530 by default: all tests together need more.
    """
    async with asyncio.timeout(30):
        while not await _forgotten(servers, namespace):  # noqa: ASYNC110 - Kafka wakes nobody
            await asyncio.sleep(0.1)


async def _forgotten(servers: str, namespace: str) -> bool:
    """Try once: whose only broker had to wait for the machine, a cluster has none for a time."""
    with suppress(KafkaConnectionError, NodeNotReadyError):
        async with _administering(servers) as admin:
            names = [name for name in await admin.list_topics() if name.startswith(f"{namespace}.")]
            if names:
                await admin.delete_topics(names)
            return True
    return False


@asynccontextmanager
async def _administering(servers: str) -> AsyncGenerator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
