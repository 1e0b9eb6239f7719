"""The sign of life on the ended sessions says nothing that is not so."""

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select, text

from authbus import topics
from authbus.state import FeedAlive
from authbus_service.outbox.repository import Said, append
from authbus_service.relay.loop import Pace, Relay
from tests.integration.relay.world import World, a_record, running, until
from tests.rig.topics import FEW, widen


async def beats(world: World) -> dict[int, list[datetime]]:
    """The times said, by partition."""
    found: dict[int, list[datetime]] = {}
    for record in await world.read(topics.SESSIONS_ENDED):
        if record.key == b"alive":
            alive = FeedAlive.model_validate_json(record.value or b"")
            found.setdefault(record.partition, []).append(alive.published_through)
    return found


async def database_now(world: World) -> datetime:
    async with world.database.reading() as db:
        return (await db.execute(select(func.clock_timestamp()))).scalar_one()


async def test_each_partition_has_one_again_and_again_while_nothing_else_happens(
    world: World,
) -> None:
    async def enough() -> bool:
        found = await beats(world)
        return len(found) == FEW and all(len(times) >= 3 for times in found.values())

    before = await database_now(world)
    async with running(world.relay()):
        await until(enough)
    after = await database_now(world)

    for times in (await beats(world)).values():
        assert times == sorted(times)
        assert before <= times[0]
        assert times[-1] <= after
        assert all(b - a >= timedelta(seconds=0.15) for a, b in pairwise(times))


async def test_a_partition_that_is_added_has_one_before_it_is_missed(world: World) -> None:
    async with running(world.relay(pace=Pace(heartbeat=0.5))):
        await until(lambda: beating(world))
        await widen(world.servers, topics.SESSIONS_ENDED.name(world.namespace), FEW + 1)

        async with asyncio.timeout(5):
            while len(await beats(world)) <= FEW:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.3)


@pytest.mark.parametrize("tracked", ["on", "off"])
async def test_what_comes_after_it_ended_after_it(world: World, tracked: str) -> None:
    async with running(world.relay()):
        for _ in range(30):
            await end_a_session(world, tracked)
        written = await database_now(world)
        await until(lambda: later(world, written))

    seen = 0
    through: dict[int, datetime] = {}
    for record in await world.read(topics.SESSIONS_ENDED):
        if record.key == b"alive":
            alive = FeedAlive.model_validate_json(record.value or b"")
            through[record.partition] = alive.published_through
        else:
            seen += 1
            ended_at = datetime.fromisoformat((record.value or b"").decode())
            assert ended_at >= through.get(record.partition, ended_at)
    assert seen == 30


async def end_a_session(world: World, tracked: str) -> None:
    """Write, read the clock, write what it said, and commit a while later."""
    async with world.database.transaction() as db:
        await db.execute(text(f"SET LOCAL track_activities = {tracked}"))
        await append(db, [a_record()])
        ended_at = (await db.execute(select(func.clock_timestamp()))).scalar_one()
        value = ended_at.isoformat().encode()
        await append(db, [a_record("session", value, topics.SESSIONS_ENDED)])
        await asyncio.sleep(0.03)


async def later(world: World, than: datetime) -> bool:
    found = await beats(world)
    return len(found) == FEW and all(times[-1] > than for times in found.values())


async def test_it_says_nothing_newer_than_an_open_transaction_that_may_have_ended_a_session(
    world: World,
) -> None:
    async with running(world.relay()):
        await until(lambda: beating(world))
        async with world.database.transaction() as db:
            await append(db, [a_record()])
            ended_at = (await db.execute(select(func.clock_timestamp()))).scalar_one()
            before = await beats(world)
            await asyncio.sleep(1)
            found = await beats(world)

    assert len(found[0]) > len(before[0])
    assert all(through < ended_at for times in found.values() for through in times)


async def beating(world: World) -> bool:
    return bool(await beats(world))


async def test_there_is_none_while_rows_are_waiting(world: World) -> None:
    class Stuck(Relay):
        async def _forget(self, said: list[Said]) -> None:
            await asyncio.Event().wait()

    class Narrow(Stuck):
        async def _round(self) -> bool:
            self._limit = 1
            return await super()._round()

    await world.write(a_record(), a_record())
    async with running(world.relay(Narrow)):
        await until(lambda: said_something(world))
        await asyncio.sleep(0.5)

    assert await beats(world) == {}


async def said_something(world: World) -> bool:
    return bool(await world.read())
