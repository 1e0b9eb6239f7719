"""Members of a group with a name: one place, one member, and no quarrel about it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from authbus.stream.handover import Handover
from authbus.topics import SESSIONS
from authbus_service.consumers.static_membership import forget_name, name_once
from tests.rig.crowd import until
from tests.rig.world import World

Join = Callable[[str], Awaitable["Member"]]
_SESSION_MS = 10_000


class Member:
    """A consumer with a name, and how often it has joined."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self.consumer = consumer
        self.joined = 0

    @property
    def reads(self) -> set[TopicPartition]:
        return self.consumer.assignment()

    async def revoked(self, _: list[TopicPartition]) -> None:
        pass

    async def assigned(self, _: list[TopicPartition]) -> None:
        name_once(self.consumer)
        self.joined += 1


@pytest.fixture
async def joins(world: World) -> AsyncIterator[Join]:
    async with AsyncExitStack() as opened:

        async def join(name: str) -> Member:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=world.servers,
                group_id=f"{world.namespace}.named",
                group_instance_id=name,
                session_timeout_ms=_SESSION_MS,
                heartbeat_interval_ms=200,
                enable_auto_commit=False,
            )
            await consumer.start()
            opened.push_async_callback(consumer.stop)
            member = Member(consumer)
            listener = Handover(member.revoked, member.assigned)
            consumer.subscribe([SESSIONS.name(world.namespace)], listener=listener)
            await until(lambda: bool(member.reads))
            return member

        yield join


async def test_two_of_one_name_share_the_work_and_do_not_push_each_other_out(joins: Join) -> None:
    first = await joins("service-0")
    everything = first.reads
    second = await joins("service-0")
    await until(lambda: not first.reads & second.reads)
    await asyncio.sleep(0.5)
    settled = first.joined, second.joined
    await asyncio.sleep(1.5)

    assert first.reads | second.reads == everything
    assert (first.joined, second.joined) == settled


async def test_who_stops_in_order_leaves_his_place_at_once(joins: Join) -> None:
    first, second = await joins("service-0"), await joins("service-1")
    everything = first.reads | second.reads
    forget_name(first.consumer)
    await first.consumer.stop()

    async with asyncio.timeout(_SESSION_MS / 1000 / 2):
        await until(lambda: second.reads == everything)
