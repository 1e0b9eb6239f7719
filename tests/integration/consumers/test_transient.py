"""Which of the database's real errors pass by themselves."""

import secrets
import struct
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.consumers.transient import OUTAGE, is_transient
from authbus_service.core.database import Database, connect, name_of
from authbus_service.core.security.masters import MasterKeyError, Masters, MissingMasterError
from authbus_service.embedded import Addresses

Act = Callable[[AsyncConnection], Awaitable[object]]


def said(*statements: str, **given: str) -> Act:
    async def act(db: AsyncConnection) -> None:
        for statement in statements:
            await db.execute(text(statement), given)

    return act


async def ended_while_idle(db: AsyncConnection) -> None:
    """The server says that it ends the session, and the end of the connection is still on its way.

    asyncpg is told the first alone.
    """
    await db.execute(text("SELECT 1"))
    raw: Any = (await db.get_raw_connection()).driver_connection
    last = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
    raw._protocol.data_received(b"E" + struct.pack(">i", 4 + len(last)) + last)
    await db.execute(text("SELECT 1"))


FULL = said("DO $$ BEGIN RAISE 'no space left on device' USING ERRCODE = 'disk_full'; END $$")
PASSING = {
    "a disk is full": FULL,
    "the session is killed": said("SELECT pg_terminate_backend(pg_backend_pid())"),
    "a statement takes too long": said("SET LOCAL statement_timeout = 20", "SELECT pg_sleep(1)"),
    "a transaction takes too long": said(
        "SET LOCAL transaction_timeout = 20", "SELECT pg_sleep(1)"
    ),
    "the inbox lacks the day": said(
        "INSERT INTO inbox VALUES ('2001-01-01', gen_random_uuid(), '', '', '', now(), now(), '{}')"
    ),
    "the server only reads": said("SET TRANSACTION READ ONLY", "DELETE FROM users"),
    "a right is taken away": said("SET LOCAL ROLE pg_monitor", "DELETE FROM users"),
}
LASTING = {
    "a division by zero": said("SELECT 1/0"),
    "U+0000": said("SELECT CAST(:given AS text)", given="\0"),
    "a lone surrogate": said("SELECT CAST(:given AS text)", given="\ud800"),
    "a table that is not there": said("SELECT * FROM nothing"),
    "a row that a check refuses": said(
        "CREATE TEMP TABLE inbox (n int CHECK (n = 1))", "INSERT INTO inbox VALUES (2)"
    ),
    "a row twice": said(*["INSERT INTO fence VALUES ('t', 0, 0)"] * 2),
}


async def error_of(database: Database, act: Act) -> DBAPIError:
    with pytest.raises(DBAPIError) as raised:
        async with database.transaction() as db:
            await act(db)
    return raised.value


async def test_an_error_is_called_what_postgresql_calls_it(database: Database) -> None:
    found = [await error_of(database, act) for act in (FULL, said("SELECT 1/0"))]

    assert [name_of(each) for each in found] == ["DiskFullError", "DivisionByZeroError"]
    assert name_of(KeyError("x")) == "KeyError"


@pytest.mark.parametrize("act", PASSING.values(), ids=PASSING.keys())
async def test_what_passes_is_tried_again(database: Database, act: Act) -> None:
    assert is_transient(await error_of(database, act))


@pytest.mark.parametrize("wrong", [{"username": "nobody"}, {"database": "nothing"}], ids=str)
async def test_a_connection_that_is_refused_is_no_fault_of_the_command_that_asked_for_it(
    addresses: Addresses, wrong: dict[str, Any]
) -> None:
    url = make_url(addresses.database_url).set(**wrong)
    refusing = connect(url.render_as_string(hide_password=False))

    assert is_transient(await error_of(refusing, said("SELECT 1")))


@pytest.mark.parametrize("act", LASTING.values(), ids=LASTING.keys())
async def test_what_lasts_is_not_tried_for_ever(database: Database, act: Act) -> None:
    assert not is_transient(await error_of(database, act))


def test_a_master_that_this_process_lacks_may_be_there_elsewhere() -> None:
    with pytest.raises(MissingMasterError) as missing:
        Masters([secrets.token_bytes(32)]).root_key("00000000")

    assert is_transient(missing.value)
    assert not is_transient(MasterKeyError("a secret was altered"))


@pytest.mark.parametrize("how", [Database.transaction, Database.reading])
async def test_a_session_that_was_ended_while_it_was_idle_is_an_outage_and_the_next_one_works(
    database: Database, how: Callable[[Database], AbstractAsyncContextManager[AsyncConnection]]
) -> None:
    with pytest.raises(OUTAGE) as raised:
        async with how(database) as db:
            await ended_while_idle(db)
    for _ in range(database.engine.pool.size()):  # pyright: ignore[reportAttributeAccessIssue]
        async with how(database) as db:
            await db.execute(text("SELECT 1"))

    assert is_transient(raised.value)


async def test_a_lock_that_is_not_given_passes(database: Database) -> None:
    async with database.transaction() as holder:
        await holder.execute(text("LOCK TABLE users"))

        error = await error_of(database, said("SET LOCAL lock_timeout = 20", "DELETE FROM users"))

    assert is_transient(error)


async def test_a_statement_planned_before_a_migration_passes(database: Database) -> None:
    ask = said("SELECT topic FROM fence")
    async with database.engine.connect() as db:
        await ask(db)
        await db.commit()
        async with database.transaction() as other:
            await other.execute(text("ALTER TABLE fence ALTER topic TYPE varchar(99)"))

        with pytest.raises(DBAPIError) as raised:
            await ask(db)
        await db.rollback()
        await ask(db)

    assert is_transient(raised.value)
