"""A consumer that asks a broker for a partition which that does not lead any more asks another."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NotLeaderForPartitionError
from aiokafka.protocol.offset import OffsetRequest

from authbus.kafka.connection import Connection
from authbus_service.embedded import Addresses
from tests.rig.topics import a_partition


@pytest.fixture
async def place(addresses: Addresses, namespace: str) -> TopicPartition:
    """A partition with a record."""
    servers = addresses.bootstrap_servers
    at = await a_partition(servers, namespace)
    async with AIOKafkaProducer(bootstrap_servers=servers, acks="all") as producer:
        await producer.send_and_wait(at.topic, b"a record", partition=at.partition)
    return at


async def test_a_broker_that_does_not_lead_any_more_is_not_asked_for_ever(
    addresses: Addresses, place: TopicPartition, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = [(place.partition, NotLeaderForPartitionError.errno, -1, -1)]
    refusal = SimpleNamespace(API_VERSION=1, topics=[(place.topic, moved)])
    send, look = AIOKafkaClient.send, AIOKafkaClient.force_metadata_update
    refused: list[bool] = []
    looked: list[bool] = []

    async def as_the_old_leader(client: Any, node: int, request: Any, **options: Any) -> Any:
        if isinstance(request, OffsetRequest) and not looked:
            refused.append(True)
            return refusal
        return await send(client, node, request, **options)

    def looking(client: Any) -> Any:
        looked.extend(refused)
        return look(client)

    monkeypatch.setattr(AIOKafkaClient, "send", as_the_old_leader)
    monkeypatch.setattr(AIOKafkaClient, "force_metadata_update", looking)
    connection = Connection(addresses.bootstrap_servers, "test")
    consumer = connection.consumer()
    await connection.open(consumer)
    try:
        consumer.assign([place])
        async with asyncio.timeout(5):
            record = await consumer.getone()
    finally:
        await connection.close(consumer)

    assert record.value == b"a record"
    assert refused
