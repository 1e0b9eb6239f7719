"""A transaction that somebody forgot: what verifiers know stands still, and it is told."""

import asyncio
from contextlib import AsyncExitStack

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.core.database import Database, connect
from authbus_service.relay.heartbeat import oldest_writer, settled
from authbus_service.relay.loop import Pace
from tests.integration.relay.test_gauges import bound
from tests.integration.relay.test_heartbeat import beats
from tests.integration.relay.world import World, a_record, running, until
from tests.rig.runbook import under
from tests.rig.scraping import counted

HELD = "feed_held_back_seconds"
PACE = Pace(heartbeat=0.2)
SECONDS = 5.5
STAND_IN = (
    "CREATE SCHEMA stand_in",
    (
        "CREATE VIEW stand_in.pg_stat_activity AS SELECT datname, pid, application_name, state, "
        "backend_xid, xact_start, backend_start, CASE application_name WHEN 'vacuum' "
        "THEN 'autovacuum worker' ELSE backend_type END AS backend_type "
        "FROM pg_catalog.pg_stat_activity"
    ),
)


async def forget_one(
    world: World, forgotten: AsyncExitStack, what: str
) -> tuple[AsyncConnection, int]:
    """Leave a transaction open that has done this; returns its session, and that one's pid."""
    db = await forgotten.enter_async_context(world.database.engine.connect())
    await db.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    await db.execute(text(what))
    return db, await db.scalar(text("SELECT pg_backend_pid()")) or 0


async def test_for_how_long_a_forgotten_transaction_holds_the_feed_back_is_told_until_it_ends(
    world: World,
) -> None:
    relay = world.relay(pace=PACE)
    metrics = bound(relay, world)

    async def is_held() -> bool:
        return counted(metrics, HELD).get((), 0) >= 1

    async def is_free() -> bool:
        return counted(metrics, HELD).get((), 0) < 0.1

    async with AsyncExitStack() as forgotten, running(relay):
        await until(lambda: _beating(world))
        await world.write(a_record())
        assert await is_free()
        await forget_one(world, forgotten, "SELECT pg_current_xact_id()")
        await until(is_held)
        held = (await beats(world))[0][-1]
        await asyncio.sleep(1)
        assert (await beats(world))[0][-1] == held
        assert counted(metrics, HELD)[()] > 1.5
        await forgotten.aclose()
        await until(is_free)
        await forget_one(world, forgotten, "SELECT pg_current_xact_id()")
        await until(is_held)
    assert counted(metrics, HELD) == {}


async def test_the_runbook_names_the_session_that_holds_the_feed_back_and_its_way_ends_it_alone(
    world: World,
) -> None:
    look, end = (each for each in under("AuthbusFeedHeldBack") if each.startswith("SELECT "))
    relay = world.relay(pace=PACE)
    async with AsyncExitStack() as forgotten:
        _, only_reads = await forget_one(world, forgotten, "SELECT count(*) FROM users")
        session, writes = await forget_one(
            world, forgotten, "UPDATE installation SET epoch = epoch"
        )
        await asyncio.sleep(SECONDS)
        async with world.database.reading() as db:
            (found,) = (await db.execute(text(look))).all()
            assert await db.scalar(text(end.replace("PID", str(found.pid))))
            left = await db.scalars(
                text(f"SELECT pid FROM pg_stat_activity WHERE pid IN ({only_reads}, {writes})")
            )
            assert list(left) == [only_reads]
        await session.invalidate()
        async with running(relay):
            await until(lambda: _beating(world))

    assert found.pid == writes
    assert found.state == "idle in transaction"
    assert found.application_name == "authbus"


async def test_a_vacuum_that_postgresql_began_by_itself_holds_nothing_back(
    database: Database, database_url: str
) -> None:
    """It has a transaction while it gives room back, and a superuser sees it. None can be asked for
    here: who is called `vacuum` stands for one.
    """
    mine = connect(database_url, connections=1)
    async with database.transaction() as db:
        for each in STAND_IN:
            await db.execute(text(each))
    async with mine.reading() as db:
        await db.execute(text("SET search_path = stand_in, public, pg_catalog"))
    async with database.engine.connect() as other:
        for name, is_held in (("vacuum", False), ("psql", True)):
            await other.execute(text(f"SET LOCAL application_name = '{name}'"))
            began = await other.scalar(text("SELECT now() FROM pg_current_xact_id()"))
            assert ((await settled(mine)).through == began) is is_held
            assert ((await oldest_writer(mine)) is not None) is is_held
    await mine.close()


async def _beating(world: World) -> bool:
    return bool(await beats(world))
