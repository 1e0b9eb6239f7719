"""A broker that does not know what happened misleads no start."""

from collections.abc import Collection, Mapping

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.integration.relay.forgotten import (
    FORGOTTEN_TO_DELETE,
    an_event,
    memory_of,
    say,
    seen,
    settle,
)
from tests.integration.relay.world import World, running, until


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
