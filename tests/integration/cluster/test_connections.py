"""PostgreSQL is not asked for more connections than operators are told."""

# pyright: reportPrivateUsage=false

import asyncio
from uuid import uuid4

from sqlalchemy import make_url, select, text

from authbus_service.core.database import Database, connect
from authbus_service.relay.notifications import listen
from authbus_service.startup.watchdog import Answering
from tests.rig.connections import counting, told_at_most


async def works(database: Database) -> None:
    async with database.transaction() as db:
        await db.execute(text("SELECT pg_sleep(0.02)"))


async def asks(servers: Answering, enough: asyncio.Event) -> None:
    """As the watchdog does when it is in doubt, without a pause."""
    while not enough.is_set():
        assert await servers._database_answers()


async def test_a_process_has_no_more_connections_than_operators_are_told(
    database: Database, database_url: str
) -> None:
    enough = asyncio.Event()
    listening = asyncio.create_task(listen(database, "said", lambda: None))
    asking = asyncio.create_task(asks(Answering({}, database_url), enough))
    async with counting(database_url) as counts:
        await asyncio.gather(*(works(database) for _ in range(400)))
    enough.set()
    await asking
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)

    assert max(counts) == told_at_most()


async def test_listening_that_is_refused_is_begun_again_until_it_is_allowed(
    database: Database, database_url: str
) -> None:
    name, heard = f"t{uuid4().hex[:8]}", asyncio.Event()
    url = make_url(database_url).set(username=name, password=name)
    refused = connect(url.render_as_string(hide_password=False))
    listening = asyncio.create_task(listen(refused, "said", heard.set))
    await asyncio.wait([listening], timeout=0.5)
    async with database.transaction() as db:
        await db.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'"))

    begun = asyncio.create_task(heard.wait())
    await asyncio.wait([listening, begun], timeout=5, return_when=asyncio.FIRST_COMPLETED)

    assert begun.done()
    assert not listening.done()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    async with database.transaction() as db:
        await db.execute(text(f"DROP ROLE {name}"))


async def test_who_begins_to_be_told_of_connections_disturbs_none_that_is_being_made(
    database: Database,
) -> None:
    told: list[str] = []

    def begin(_connection: object) -> None:
        told.append("first")
        database.made.append(lambda _: told.append("second"))

    await database.close()
    database.made.append(begin)
    async with database.reading() as one, database.reading() as other:
        await one.execute(select(1))
        await other.execute(select(1))
    assert told == ["first", "first", "second"]
