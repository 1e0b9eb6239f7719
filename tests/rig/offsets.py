"""How far the command topics go, how far Kafka says they were read, how far the fence stands."""

import asyncio

from aiokafka import AIOKafkaConsumer

from authbus import topics
from authbus_service.cluster import Admin
from authbus_service.cluster.places import places_of
from tests.rig.world import World

Places = dict[tuple[str, int], int]

COMMANDS = (topics.CREDENTIALS, topics.SESSIONS, topics.ACCOUNTS, topics.ADMIN)


async def ends(world: World) -> Places:
    """Where the next record of each command partition will lie; empty partitions left out."""
    names = {topic.name(world.namespace): topic for topic in COMMANDS}
    partitions = await places_of({"bootstrap_servers": world.servers}, names)
    consumer = AIOKafkaConsumer(bootstrap_servers=world.servers)
    await consumer.start()
    try:
        # It hears of all topics at once then; else of each a tenth of a second after the other.
        consumer.assign(partitions)
        found = await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
    return {(names[each.topic].suffix, each.partition): end for each, end in found.items() if end}


async def committed(world: World, admin: Admin, groups: list[str]) -> Places:
    """Kafka's offsets of these groups."""
    found: Places = {}
    for group in groups:
        for (topic, partition), offset in (await admin.committed(group)).items():
            found[topic.removeprefix(f"{world.namespace}."), partition] = offset
    return found


async def fence(world: World) -> Places:
    """What the database knows to be finished."""
    rows = await world.rows("SELECT topic, partition, next_offset FROM fence")
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def all_finished(world: World, *, within: float = 20) -> None:
    """Wait until the fence stands at the end of all that was sent."""
    sent = await ends(world)
    async with asyncio.timeout(within):
        while True:
            known = await fence(world)
            if all(known.get(place, 0) >= end for place, end in sent.items()):
                return
            await asyncio.sleep(0.05)


async def all_committed(world: World, groups: list[str], *, within: float = 20) -> None:
    """Wait until Kafka's offsets, which never pass the fence, stand there too."""
    sent = await ends(world)
    async with Admin.connect(world.servers, {}) as admin, asyncio.timeout(within):
        while await committed(world, admin, groups) != sent:  # noqa: ASYNC110 - Kafka tells nobody
            await asyncio.sleep(0.05)
