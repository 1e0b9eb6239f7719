"""Who joins a group waits for its slowest member, whatever silence means on other connections."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from authbus.kafka.group_offsets import heed_group
from authbus.stream.handover import Handover
from authbus_service.embedded import Addresses
from tests.rig.topics import a_partition

SILENCE_MS = 1_000
SLOW_SECONDS = 2.5


class Member:
    """`slow`: it takes longer to hand over than another one waits for any answer."""

    def __init__(self, *, slow: bool) -> None:
        self.slow = slow
        self.times = 0
        self.joined = asyncio.Event()

    async def revoked(self, places: list[TopicPartition]) -> None:
        if self.slow and places:
            await asyncio.sleep(SLOW_SECONDS)

    async def assigned(self, _: list[TopicPartition]) -> None:
        self.times += 1
        self.joined.set()


@asynccontextmanager
async def member(servers: str, at: TopicPartition, *, slow: bool) -> AsyncGenerator[Member]:
    made = Member(slow=slow)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers,
        group_id=f"{at.topic}.slow",
        heartbeat_interval_ms=100,
        enable_auto_commit=False,
        request_timeout_ms=SILENCE_MS,
    )
    async with consumer:
        heed_group(consumer)
        consumer.subscribe([at.topic], listener=Handover(made.revoked, made.assigned))
        async with asyncio.timeout(10):
            await made.joined.wait()
        yield made


async def test_a_member_that_is_slow_to_hand_over_is_waited_for(
    addresses: Addresses, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    servers = addresses.bootstrap_servers
    at = await a_partition(servers, namespace)
    async with member(servers, at, slow=True) as first, member(servers, at, slow=False) as second:
        await asyncio.sleep(1)

    assert (first.times, second.times) == (2, 1)
    assert "coordinator dead" not in caplog.text
