"""The fence moves with the groups, never back, and Kafka's offset never passes it."""

# pyright: reportPrivateUsage=false

import asyncio
from itertools import pairwise

import pytest
from sqlalchemy import text

from authbus import LoggedIn, RegisterUser
from authbus_service.cluster import Admin
from authbus_service.consumers.went_back import DatabaseWentBackError
from authbus_service.core.sets import Writes
from authbus_service.inbox import fence as fences
from tests.rig.crowd import PASSWORD, Crowd, until
from tests.rig.offsets import Places, all_committed, committed, ends, fence
from tests.rig.producing import Draft
from tests.rig.world import World

PLACE = ("commands.credentials.v1", 3)
OTHER = ("commands.sessions.v1", 0)


async def test_the_fence_never_goes_back(world: World) -> None:
    moves: list[Places] = [{PLACE: 7}, {PLACE: 5, OTHER: 2}, {}, {PLACE: 7, OTHER: 3}]
    for offsets in moves:
        async with world.database.transaction() as db, Writes.to(db) as writes:
            fences.move(writes, offsets)

    assert await fence(world) == {PLACE: 7, OTHER: 3}


async def watch(world: World, groups: list[str], samples: list[tuple[Places, Places]]) -> None:
    """Sample Kafka's offsets, then the fence, for as long as the test lasts."""
    async with Admin.connect(world.servers, {}) as admin:
        while True:
            known = await committed(world, admin, groups)
            samples.append((known, await fence(world)))


async def test_kafkas_offset_is_never_above_the_fence_and_both_reach_the_end(
    world: World,
) -> None:
    crowd = Crowd(world)
    samples: list[tuple[Places, Places]] = []
    async with world.consuming() as first:
        watching = asyncio.create_task(watch(world, first.groups, samples))
        sessions = await crowd.with_sessions(60)
        for _ in range(2):
            # Refusals finish without a group, between those that have one.
            drafts = [*crowd.log_ins(range(60)), *crowd.log_outs(sessions)]
            drafts += [_refused(world, each) for each in range(60)]
            replies = await crowd.asked(drafts)
            sessions = [each for each in replies if isinstance(each, LoggedIn)]
        end = await ends(world)
        await until(lambda: samples[-1:] == [(end, end)], within=20)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    assert len(samples) > 10
    for known, allowed in samples:
        assert all(offset <= allowed.get(place, 0) for place, offset in known.items())
    for (_, earlier), (_, later) in pairwise(samples):
        assert all(later[place] >= offset for place, offset in earlier.items())


def _refused(world: World, number: int) -> Draft:
    command = RegisterUser(email="ana@example.com", password=PASSWORD)
    return world.web.draft(command, key=b"key %d" % number, type="authbus.Nothing.v1")


async def test_a_database_that_went_back_in_time_handles_nothing_and_names_the_cure(
    world: World,
) -> None:
    crowd = Crowd(world)
    async with world.consuming() as before:
        await crowd.asked(crowd.registers(range(20)))
        await all_committed(world, before.groups)
    async with world.database.transaction() as db:
        await db.execute(text("DELETE FROM fence WHERE partition = 0"))
        await db.execute(text("UPDATE fence SET next_offset = next_offset - 1"))

    late = crowd.registers(range(100, 130))
    async with world.consuming() as consumers:
        assert consumers.failure is not None
        for draft in late:
            await world.web.send(draft)
        with pytest.raises(DatabaseWentBackError, match="authbus recover"):
            await asyncio.wait_for(consumers.failure, 10)
        await asyncio.sleep(0.5)

    assert len(await world.rows("SELECT id FROM users")) == 20
    assert not any(world.web.answers(draft.id) for draft in late)


async def test_a_database_that_is_newer_than_kafkas_offsets_goes_on(world: World) -> None:
    crowd = Crowd(world)
    async with world.consuming() as before:
        await crowd.asked(crowd.registers(range(5)))
        groups = before.groups
    async with world.database.transaction() as db:
        await db.execute(text("UPDATE fence SET next_offset = next_offset + 1000"))

    async with world.consuming() as consumers:
        await crowd.asked(crowd.registers(range(5, 10)))

    assert consumers.groups == groups
    await crowd.checked()
