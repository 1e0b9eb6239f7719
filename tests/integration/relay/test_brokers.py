"""Brokers that do not know what happened, or say nothing, mislead or hold up no start."""

import asyncio
from collections.abc import Collection, Mapping

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import true

from authbus_service.relay.past import Past
from tests.integration.relay.forgotten import (
    FORGOTTEN_TO_DELETE,
    a_producer,
    an_event,
    memory_of,
    say,
    seen,
    settle,
)
from tests.integration.relay.world import World, running, until
from tests.rig.silence import silent


def stand_still(patched: pytest.MonkeyPatch, place: TopicPartition, end: int) -> None:
    """From now on readers meet a broker that led this place until it had that end."""
    ends = AIOKafkaConsumer.end_offsets

    async def as_before(
        consumer: AIOKafkaConsumer, places: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        found = await ends(consumer, places)
        return {**found, place: min(end, found[place])} if place in found else found

    patched.setattr(AIOKafkaConsumer, "end_offsets", as_before)


async def end_of(world: World, place: TopicPartition) -> int:
    async with AIOKafkaConsumer(bootstrap_servers=world.servers) as consumer:
        return (await consumer.end_offsets([place]))[place]


async def test_the_memory_of_a_broker_that_leads_no_more_is_not_obeyed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = an_event("ana", "first"), an_event("ana", "last")
    relay = world.relay()

    async def decided() -> bool:
        return bool(relay.state.restarts) or not await world.waiting()

    await world.write(first)
    await settle(world)
    before = await end_of(world, memory_of(world))
    await world.write(last)
    await say(world, [last], [], FORGOTTEN_TO_DELETE)
    with monkeypatch.context() as patched:
        stand_still(patched, memory_of(world), before)
        async with running(relay):
            await until(decided)
    await settle(world)

    assert await seen(world) == {b"ana": [b"first", b"last"]}
    assert relay.state.said == 0


async def test_a_start_that_has_reached_kafka_looks_for_no_other_way_there(world: World) -> None:
    event = an_event("ana", "said")

    await world.write(event)
    await say(world, [event], [memory_of(world)], FORGOTTEN_TO_DELETE)
    async with silent() as address, a_producer(world) as producer:
        client = {"bootstrap_servers": address}
        past = Past(world.namespace, client, world.database, world.epoch)
        async with asyncio.timeout(5):
            await past.settle(producer, provided=true())

    assert await world.waiting() == 0
    assert await seen(world) == {b"ana": [b"said"]}
