"""Whoever may write commands cannot end an operator's command by batches that unpack to much."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import NotLeaderForPartitionError

from authbus.topics import COMMAND_TOPICS, SESSIONS
from authbus_service.cluster import Admin
from authbus_service.reading import ranges
from authbus_service.reading.records import Where
from authbus_service.recovery.reading import Topics
from authbus_service.watching.following import Watching
from tests.rig.accident import installed
from tests.rig.batches import ZSTD, Raw, batch, compress, records, wired
from tests.rig.memory import give_back, growth_below
from tests.rig.replaying import replayed
from tests.rig.world import World

MIB = 1024 * 1024
COUNT = 100
NO_LEADER_YET = (NotLeaderForPartitionError.errno, -1)
NEARLY_4_MIB = bytes(4 * MIB - 100)
BOMBS = {
    "a value": Raw(NEARLY_4_MIB, b"k"),
    "a header": Raw(b"v", b"k", [(b"ce_id", b"1" * len(NEARLY_4_MIB))]),
}
Offsets = list[int]


@pytest.fixture
async def world(world: World) -> World:
    """With the installation that its database belongs to."""
    return await installed(world)


async def put(world: World, *raws: Raw, count: int = 1) -> None:
    """Write a batch of these so many times in a row."""
    data = batch(len(raws), compress(ZSTD, records(raws)), ZSTD)
    assert len(data) < 1000
    async with wired(world.servers) as wire:
        for number in range(count):
            lies = NO_LEADER_YET
            while lies == NO_LEADER_YET:
                lies = await wire.produce(SESSIONS.name(world.namespace), 0, data)
            assert lies == (0, number * len(raws))


async def ranged(world: World, _: Raw) -> Offsets:
    """As `authbus replay` and `authbus dead-letters` read."""
    async with Admin.connect(world.servers, {}) as admin, ranges.reader(admin) as consumer:
        places = await ranges.partitions_of(admin, SESSIONS.name(world.namespace))
        spans = await ranges.spans(consumer, places, None, None)
        return [each.offset async for some in ranges.read(consumer, spans) for each in some]


async def recovering(world: World, _: Raw) -> Offsets:
    """As `authbus recover` reads."""
    topics = Topics(world.servers, world.namespace)
    reading = topics.batches(COMMAND_TOPICS, None)
    return [record.offset async for some in reading for _, record in some]


async def watching(world: World, bomb: Raw) -> Offsets:
    """As `authbus watch` reads what comes; all of it is there before the first is looked at."""
    found, ready = Offsets(), asyncio.Event()
    async with Admin.connect(world.servers, {}) as admin:
        follow = Watching(admin, world.namespace, [], Where())
        async with aclosing(follow.records(ready.set, lambda _: None)) as seen:
            first = asyncio.ensure_future(anext(seen))
            await ready.wait()
            await put(world, bomb, count=COUNT)
            found.append(int((await first).place.rpartition("/")[2]))
            while len(found) < COUNT:
                found.append(int((await anext(seen)).place.rpartition("/")[2]))
    return found


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("reading", [ranged, recovering, watching])
async def test_of_bombs_in_a_row_operators_read_one_after_the_other(
    world: World, reading: Callable[[World, Raw], Awaitable[Offsets]], bomb: str
) -> None:
    if reading is not watching:
        await put(world, BOMBS[bomb], count=COUNT)
    give_back()

    with growth_below(150 * MIB):
        offsets = await asyncio.wait_for(reading(world, BOMBS[bomb]), 60)

    assert offsets == list(range(COUNT))


async def test_a_replay_of_bombs_in_a_row_holds_a_few_of_them_and_counts_all(world: World) -> None:
    await put(world, BOMBS["a value"], count=COUNT)
    give_back()

    with growth_below(200 * MIB):
        summary = await replayed(world, SESSIONS)

    assert (summary.selected, summary.expired) == (COUNT, COUNT)


async def test_ordinary_records_that_lie_in_one_batch_are_taken_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(world, *[Raw(b"v", b"k")] * 500)
    getmany, asked = AIOKafkaConsumer.getmany, Offsets()

    async def counted(*args: Any, max_records: int, **more: int) -> Any:
        asked.append(max_records)
        return await getmany(*args, max_records=max_records, **more)

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", counted)

    assert await ranged(world, Raw(b"")) == list(range(500))
    assert asked.count(499) == 1
    assert len(asked) < 10
