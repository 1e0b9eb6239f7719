"""A broker that is lost half-way ends what an operator began; nothing waits for it for ever."""

import asyncio
import os
from contextlib import AsyncExitStack

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from authbus_service.cluster import Admin, patience
from authbus_service.embedded import EmbeddedStack
from authbus_service.reading.ranges import Span, read, reader
from authbus_service.replay.copying import Copy, copier
from tests.rig.brokers import How, away
from tests.rig.replaying import a_new_topic

pytestmark = pytest.mark.parametrize("how", ["killed", "frozen"])

# Of the command, and of its end: what is in flight is given up by then too.
PATIENCE, WITHIN = 2.0, 60


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SECONDS", PATIENCE)


async def filled(admin: Admin, name: str) -> TopicPartition:
    """A place with more than is fetched ahead."""
    place = TopicPartition(await a_new_topic(admin, name), 0)
    async with AIOKafkaProducer(bootstrap_servers=admin.servers) as producer:
        for _ in range(80):
            await producer.send(place.topic, os.urandom(100_000), partition=0)
    return place


async def test_a_reading_ends(stack: EmbeddedStack, namespace: str, how: How) -> None:
    async with Admin.connect(stack.addresses.bootstrap_servers, {}) as admin:
        place = await filled(admin, f"{namespace}.read")
        parts = 0
        async with asyncio.timeout(WITHIN), AsyncExitStack() as until_read:
            with pytest.raises(KafkaTimeoutError):
                async with reader(admin) as consumer:
                    async for _ in read(consumer, {place: Span(0, 80)}):
                        if not parts:
                            await until_read.enter_async_context(away(stack, how))
                        parts += 1
            assert 0 < parts < 8


async def test_a_copying_ends(stack: EmbeddedStack, namespace: str, how: How) -> None:
    async with Admin.connect(stack.addresses.bootstrap_servers, {}) as admin:
        name = await a_new_topic(admin, f"{namespace}.copied")
        copies = [Copy(b"%d" % number, b"value", []) for number in range(10)]

        async with asyncio.timeout(WITHIN), AsyncExitStack() as until_sent:
            with pytest.raises(KafkaTimeoutError):
                async with copier(admin, name, None, 65_536) as onto:
                    assert None not in await onto.send(copies)
                    await until_sent.enter_async_context(away(stack, how))
                    await onto.send(copies)
