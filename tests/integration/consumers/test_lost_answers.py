"""An answer that is lost on the way to Kafka takes no other with it."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.cluster import ClusterMetadata

from authbus_service.consumers.route import Saying
from authbus_service.consumers.speaker import Speaker
from authbus_service.embedded import Addresses
from tests.rig.topics import a_partition

_NOBODY = -1


@pytest.fixture
async def place(addresses: Addresses, namespace: str) -> TopicPartition:
    return await a_partition(addresses.bootstrap_servers, namespace)


async def test_answers_go_on_after_one_was_given_up_while_nobody_led_its_partition(
    addresses: Addresses,
    namespace: str,
    place: TopicPartition,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("authbus_service.consumers.speaker._REPLY_SECONDS", 0.5)
    real, leads = ClusterMetadata.leader_for_partition, True

    def leader(cluster: Any, at: TopicPartition) -> int | None:
        return real(cluster, at) if leads else _NOBODY

    monkeypatch.setattr(ClusterMetadata, "leader_for_partition", leader)
    speaker = Speaker(namespace, addresses.bootstrap_servers, {})
    await speaker.start()

    async def answer(text: bytes) -> None:
        await speaker.answered(Saying(place.topic, place.partition, b"key", text, []))

    await answer(b"before")
    leads = False
    await answer(b"lost")
    await answer(b"lost")
    leads = True
    await answer(b"after")
    await answer(b"last")
    await speaker.stop()

    async with (
        AIOKafkaConsumer(
            bootstrap_servers=addresses.bootstrap_servers, auto_offset_reset="earliest"
        ) as consumer,
        asyncio.timeout(10),
    ):
        consumer.assign([place])
        heard = [(await consumer.getone()).value]
        while heard[-1] != b"last":
            heard.append((await consumer.getone()).value)
    assert heard[0] == b"before"
    assert b"after" in heard
