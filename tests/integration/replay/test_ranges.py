"""A stretch that is given by times or by offsets is what is replayed, on each partition."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from authbus import GetProfile
from authbus.topics import CREDENTIALS, EVENTS, Topic
from authbus_service.cluster import Admin
from authbus_service.core.clock import at_ms
from authbus_service.core.ids import new_id
from authbus_service.replay.copies import copied
from authbus_service.replay.groups import GroupReplay
from tests.rig.crowd import PASSWORD
from tests.rig.replaying import NEW, a_new_topic, billing, events_copied, has_read, replayed
from tests.rig.topics import records
from tests.rig.world import World

COUNT = 10
Places = list[tuple[int, int]]


async def times_of(world: World, topic: Topic) -> Sequence[datetime]:
    """When each of ten records came: the even ones on partition 0, the odd ones on 1."""
    noise = world.web.draft(GetProfile(access_token=PASSWORD))
    for number in range(COUNT):
        draft = noise.but(topic=topic.name(world.namespace), value=b"%d" % number)
        await world.web.send(draft, partition=number % 2)
        await asyncio.sleep(0.005)
    lying = [each async for each in records(world.servers, topic, world.namespace)]
    lying.sort(key=lambda each: int(each.value or b""))
    times = [at_ms(each.timestamp) for each in lying]
    assert sorted(set(times)) == times
    return times


async def originals(world: World, topic: Topic, replay_id: UUID) -> Places:
    """Of which records a replay has made copies: partition and offset of each."""
    found = [copied(each) async for each in records(world.servers, topic, world.namespace)]
    return sorted(
        (of.partition, of.offset) for of in found if of and of.replay_id == str(replay_id)
    )


async def test_commands_of_a_time_or_of_offsets_are_sent_again_and_no_others(world: World) -> None:
    at = await times_of(world, CREDENTIALS)

    async def sent(begin: datetime | int, end: datetime | int | None) -> Places:
        replay_id = new_id()
        summary = await replayed(world, replay_id=replay_id, begin=begin, end=end, wait=0)
        places = await originals(world, CREDENTIALS, replay_id)
        assert summary.selected == len(places)
        return places

    assert await sent(at[8], None) == [(0, 4), (1, 4)]
    assert await sent(at[3], at[7]) == [(0, 2), (0, 3), (1, 1), (1, 2)]
    assert await sent(1, 2) == [(0, 1), (1, 1)]
    assert await sent(3, at[8]) == [(0, 3), (1, 3)]


async def test_events_of_a_time_or_of_offsets_are_copied_and_no_others(
    world: World, admin: Admin
) -> None:
    at = await times_of(world, EVENTS)
    await a_new_topic(admin, NEW.name(world.namespace))

    async def sent(begin: datetime | int, end: datetime | int | None) -> Places:
        replay_id = new_id()
        report = await events_copied(world, admin, replay_id=replay_id, begin=begin, end=end)
        places = await originals(world, NEW, replay_id)
        assert report.copied == len(places)
        return places

    assert await sent(at[3], at[7]) == [(0, 2), (0, 3), (1, 1), (1, 2)]
    assert await sent(1, 2) == [(0, 1), (1, 1)]


async def test_a_group_goes_to_the_first_event_of_a_time_on_each_partition(
    world: World, admin: Admin
) -> None:
    at = await times_of(world, EVENTS)
    move, name = GroupReplay(admin, world.namespace), EVENTS.name(world.namespace)
    await has_read(admin, billing(world), world.namespace)

    async def moved(begin: datetime | int) -> list[int]:
        moves = await move.run(billing(world), begin, dry_run=False)
        kept = await admin.committed(billing(world))
        assert [kept[name, each.partition] for each in moves] == [each.to for each in moves]
        return [each.to for each in moves]

    assert await moved(at[3]) == [2, 1]
    assert await moved(at[9]) == [5, 4]
    assert await moved(1) == [1, 1]
