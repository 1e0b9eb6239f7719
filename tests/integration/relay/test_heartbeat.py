"""The sign of life on the ended sessions says nothing that is not so."""

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import func, select

from authbus import topics
from authbus.state import FeedAlive
from authbus_service.outbox.repository import Said, append
from authbus_service.relay.loop import Relay
from tests.integration.relay.world import World, a_record, running, until


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
        return len(found) == 3 and all(len(times) >= 3 for times in found.values())

    before = await database_now(world)
    async with running(world.relay()):
        await until(enough)
    after = await database_now(world)

    for times in (await beats(world)).values():
        assert times == sorted(times)
        assert before <= times[0]
        assert times[-1] <= after
        assert all(b - a >= timedelta(seconds=0.15) for a, b in pairwise(times))


async def test_it_comes_after_what_ended_before_it(world: World) -> None:
    ended = a_record("session", b"", topics.SESSIONS_ENDED)

    async with running(world.relay()):
        for _ in range(20):
            await world.write(ended)
            await asyncio.sleep(0.02)
        written = await database_now(world)
        await until(lambda: later(world, written))

    records = await world.read(topics.SESSIONS_ENDED)
    partition = next(record.partition for record in records if record.key == b"session")
    beside = [record for record in records if record.partition == partition]
    last = max(n for n, record in enumerate(beside) if record.key == b"session")
    assert sum(record.key == b"session" for record in beside) == 20
    for record in beside[:last]:
        if record.key == b"alive":
            alive = FeedAlive.model_validate_json(record.value or b"")
            assert alive.published_through <= written


async def later(world: World, than: datetime) -> bool:
    found = await beats(world)
    return len(found) == 3 and all(times[-1] > than for times in found.values())


async def test_it_says_nothing_newer_than_an_open_transaction_that_may_have_ended_a_session(
    world: World,
) -> None:
    async with running(world.relay()), world.database.transaction() as db:
        await append(db, [a_record()])
        ended_at = (await db.execute(select(func.clock_timestamp()))).scalar_one()
        await asyncio.sleep(1)
        found = await beats(world)

    assert found
    assert all(through < ended_at for times in found.values() for through in times)


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
