"""A consumer for a few records leaves nothing behind, whenever its reader is told to end."""

import asyncio

from aiokafka import TopicPartition

from authbus.topics import RELAY
from authbus_service.relay.looking import looking
from tests.integration.relay.world import World

_STEPS = 40


async def test_a_cancellation_is_not_lost_while_a_consumer_stops(world: World) -> None:
    lost: list[int] = []
    for steps in range(_STEPS):
        stops = asyncio.Event()

        async def look(stops: asyncio.Event = stops) -> None:
            place = TopicPartition(RELAY.name(world.namespace), 0)
            async with looking({"bootstrap_servers": world.servers}) as consumer:
                consumer.assign([place])
                await consumer.seek_to_end(place)
                await consumer.getmany(timeout_ms=20)  # so that it asks for more
                stops.set()

        task = asyncio.create_task(look())
        await stops.wait()
        for _ in range(steps):
            await asyncio.sleep(0)
        if task.cancel():
            await asyncio.wait({task})
            lost += [] if task.cancelled() else [steps]
    assert not lost
