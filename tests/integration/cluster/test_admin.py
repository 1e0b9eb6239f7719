"""What the cluster says of itself, and how far its groups have come."""

# pyright: reportPrivateUsage=false

from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    NotCoordinatorForGroupError,
)
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v3

from authbus_service.cluster import Admin, ClusterError
from tests.rig.topics import a_partition


async def test_committed_offsets_of_a_group_are_read_and_none_is_no_error(
    admin: Admin, servers: str, namespace: str
) -> None:
    group, topic = f"{namespace}.group", (await a_partition(servers, namespace)).topic

    before = await admin.committed(group)
    await _commit(servers, group, topic)

    assert before == {}
    assert await admin.committed(group) == {(topic, 0): 1}


async def test_a_coordinator_that_still_loads_is_asked_again_and_not_taken_for_an_empty_group(
    admin: Admin, servers: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, topic = f"{namespace}.group", (await a_partition(servers, namespace)).topic
    await _commit(servers, group, topic)
    client, codes = admin._client, [CoordinatorLoadInProgressError, NotCoordinatorForGroupError]
    send = client._send_request

    async def starting(request: Any, node_id: int | None = None) -> Any:
        if isinstance(request, OffsetFetchRequest) and codes:
            return OffsetFetchResponse_v3(0, [], codes.pop().errno)
        return await send(request, node_id)

    monkeypatch.setattr(client, "_send_request", starting)

    assert await admin.committed(group) == {(topic, 0): 1}
    assert not codes


async def test_no_kafka_is_one_error_that_names_the_address() -> None:
    with pytest.raises(ClusterError, match=r"127\.0\.0\.1:1\b.*KAFKA_BOOTSTRAP_SERVERS"):
        async with Admin.connect("127.0.0.1:1", {}):
            pass


async def test_the_cluster_has_an_id_and_counts_its_brokers(admin: Admin) -> None:
    cluster_id, brokers = await admin.describe()

    assert len(cluster_id) == 22
    assert brokers == 1


async def _commit(servers: str, group: str, topic: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(topic, b"one")
    at = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=group, enable_auto_commit=False)
    async with consumer:
        consumer.assign([at])
        await consumer.commit({at: 1})
