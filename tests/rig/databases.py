"""Databases of a test's own on the worker's PostgreSQL."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
from sqlalchemy import text

from authbus_service.core.database import Database, connect
from authbus_service.core.migrations import migrate
from authbus_service.embedded import Addresses


async def empty_database(addresses: Addresses) -> str:
    """Make one; returns its address."""
    return await _made(addresses, "")


async def migrated_database(addresses: Addresses) -> str:
    """Make one with all tables; returns its address."""
    url = await empty_database(addresses)
    database = connect(url)
    await migrate(database)
    await database.close()
    return url


async def copied_database(addresses: Addresses, url: str) -> str:
    """Make a copy of the one at `url`, to which nobody is connected; returns its address."""
    return await _made(addresses, f"TEMPLATE {_name(url)} STRATEGY file_copy")


async def drop_database(addresses: Addresses, url: str) -> None:
    """Drop the one at `url`, whoever is connected to it."""
    await _do(addresses, f"DROP DATABASE IF EXISTS {_name(url)} WITH (FORCE)")


@asynccontextmanager
async def shut(addresses: Addresses, url: str) -> AsyncGenerator[None]:
    """A block in which the one at `url` lets nobody in, and has thrown everybody out."""
    name = _name(url)
    await _do(addresses, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    out = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname"
    await _do(addresses, f"{out} = '{name}'")
    try:
        yield
    finally:
        await _do(addresses, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


async def _made(addresses: Addresses, how: str) -> str:
    name = f"t{uuid4().hex[:8]}"
    await _do(addresses, f"CREATE DATABASE {name} {how}")
    return addresses.database_url.rpartition("/")[0] + f"/{name}"


async def _do(addresses: Addresses, statement: str) -> None:
    db = await asyncpg.connect(addresses.database_url.replace("+asyncpg", ""))
    try:
        await db.execute(statement)
    finally:
        await db.close()


def _name(url: str) -> str:
    return url.rpartition("/")[2]


@asynccontextmanager
async def reading_long(database: Database) -> AsyncGenerator[None]:
    """Somebody sees the database as it was when the block began, as a back-up does."""
    async with database.engine.connect() as db:
        await db.execution_options(isolation_level="REPEATABLE READ")
        await db.execute(text("SELECT count(*) FROM sessions"))
        yield
