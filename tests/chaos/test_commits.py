"""A COMMIT that is cut, held or not answered, and nobody else's."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from authbus_service.core.database import Database, connect
from tests.chaos.commits import CommitProxy
from tests.chaos.faults import Fault, Side

INTO_ONE, INTO_OTHER = "INSERT INTO one SELECT :n", "INSERT INTO other SELECT :n"


@pytest.fixture
async def server(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Past the proxy."""
    url = make_url(database_url).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    await connection.execute("CREATE TABLE one (n int); CREATE TABLE other (n int)")
    yield connection
    await connection.close()


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[CommitProxy]:
    async with CommitProxy(make_url(database_url).port or 0) as one:
        yield one


@pytest.fixture
async def database(database_url: str, proxy: CommitProxy) -> AsyncIterator[Database]:
    """A service's way to the server, through the proxy."""
    url = make_url(database_url).set(port=proxy.port)
    one = connect(url.render_as_string(hide_password=False))
    yield one
    await one.close()


async def writes(database: Database, statement: str, n: int = 1) -> None:
    async with database.transaction() as db:
        await db.execute(text(statement), {"n": n})


async def count(server: asyncpg.Connection, table: str = "one") -> int:
    return await server.fetchval(f"SELECT count(*) FROM {table}")


@pytest.mark.parametrize(("side", "committed"), [(Side.REQUEST, 0), (Side.RESPONSE, 1)])
async def test_a_cut_commit_is_lost_or_its_answer_is(
    database: Database,
    proxy: CommitProxy,
    server: asyncpg.Connection,
    side: Side,
    committed: int,
) -> None:
    await writes(database, INTO_ONE)  # so that the statement is prepared before the aim
    aim = proxy.aim(b"INTO one", Fault.CUT, side)

    await writes(database, INTO_OTHER)
    with pytest.raises(DBAPIError):
        await writes(database, INTO_ONE)
    await writes(database, INTO_ONE)

    assert aim.struck.is_set()
    assert aim.was_committed is bool(committed)
    assert await count(server) == 2 + committed
    assert await count(server, "other") == 1


@pytest.mark.parametrize(("side", "committed"), [(Side.REQUEST, 0), (Side.RESPONSE, 1)])
async def test_a_held_commit_goes_on_when_it_is_let_go(
    database: Database,
    proxy: CommitProxy,
    server: asyncpg.Connection,
    side: Side,
    committed: int,
) -> None:
    aim = proxy.aim(b"INTO one", Fault.HOLD, side)

    writing = asyncio.create_task(writes(database, INTO_ONE))
    await aim.struck.wait()
    meanwhile = await count(server)
    is_waiting = not writing.done()
    aim.lift()
    await writing

    assert (is_waiting, meanwhile) == (True, committed)
    assert await count(server) == 1


@pytest.mark.usefixtures("server")
async def test_an_aim_that_is_lifted_takes_nothing(database: Database, proxy: CommitProxy) -> None:
    aim = proxy.aim(b"INTO one", Fault.CUT, Side.REQUEST)

    aim.lift()
    await writes(database, INTO_ONE)

    assert not aim.struck.is_set()
