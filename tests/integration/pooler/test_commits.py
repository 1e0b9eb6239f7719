"""While PostgreSQL's standby is away a COMMIT waits for it, and nobody here calls that off."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from authbus_service.core.database import Database
from authbus_service.startup.database import open_database
from tests.integration.relay.world import until
from tests.rig.hurrying import hurry
from tests.rig.pooling import Pooler

pytestmark = pytest.mark.slow

INTO = text("INSERT INTO fence VALUES ('t', 0, 1)")
WRITTEN = text("SELECT count(*) FROM fence WHERE topic = 't'")
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
A_WHILE = 1.5


async def count(database: Database, what: str) -> int:
    async with database.reading() as db:
        return (await db.scalars(WAITING if what == "waiting" else WRITTEN)).one()


async def write(database: Database) -> None:
    async with database.transaction() as db:
        await db.execute(INTO)


@asynccontextmanager
async def standby_away(database: Database) -> AsyncGenerator[None]:
    """For the length of a block each COMMIT on the server waits for a standby that is not there."""
    await _settle(database, "SET synchronous_standby_names = 'nobody'")
    try:
        yield
    finally:
        await _settle(database, "RESET synchronous_standby_names")


async def _settle(database: Database, what: str) -> None:
    async with database.reading() as db:
        await db.execute(text(f"ALTER SYSTEM {what}"))
        await db.execute(text("SELECT pg_reload_conf()"))
    await asyncio.sleep(0.5)  # until each process of the server has heard of it


@pytest.fixture(params=["pooler", "direct"])
async def opened(
    request: pytest.FixtureRequest,
    pooler: Pooler,
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Database]:
    """The database by both ways, with hardly any time for a statement."""
    hurry(monkeypatch, 500)
    by_pooler = request.param == "pooler"
    made = open_database(pooler.url(database_url) if by_pooler else database_url)
    assert (made.lending is not None) == by_pooler
    async with made.transaction() as db:
        await db.execute(text("SELECT 1"))
    yield made
    await made.close()


async def test_a_commit_has_all_the_time_that_its_standby_takes(
    opened: Database, database: Database
) -> None:
    async with standby_away(database):
        writing = asyncio.create_task(write(opened))
        await asyncio.sleep(A_WHILE)
        found = [writing.done(), await count(database, "waiting"), await count(database, "")]
    await asyncio.wait_for(writing, 5)

    assert found == [False, 1, 0]
    assert await count(database, "") == 1


async def test_who_is_cancelled_meanwhile_leaves_the_commit_waiting_and_the_database_usable(
    opened: Database, database: Database
) -> None:
    async def waits() -> bool:
        return await count(database, "waiting") == 1

    async with standby_away(database):
        writing = asyncio.create_task(write(opened))
        await until(waits)
        writing.cancel()
        await asyncio.wait_for(asyncio.gather(writing, return_exceptions=True), 5)
        await asyncio.sleep(A_WHILE)
        found = [await count(database, "waiting"), await count(database, "")]
        usable = await count(opened, "")

    assert writing.cancelled()
    assert (found, usable) == ([1, 0], 0)
    await until(lambda: _is_written(database))


async def _is_written(database: Database) -> bool:
    return await count(database, "") == 1
