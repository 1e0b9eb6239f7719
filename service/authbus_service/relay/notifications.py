"""LISTEN: wakes the relay when another process has written rows.

A connection that a pooler lends would hear nothing: there the relay's poll finds the rows.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg
from sqlalchemy.exc import EmulatedDBAPIException
from sqlalchemy.ext.asyncio import AsyncEngine

from authbus_service.core.database import DATABASE_AWAY, Database

_OPEN_SECONDS = 5.0
_CHECK_SECONDS = 5.0
_AGAIN_SECONDS = 1.0
_LOST = (
    *DATABASE_AWAY,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    EmulatedDBAPIException,  # what a raw connection is refused with, before SQLAlchemy wraps it
)


async def listen(database: Database, channel: str, wake: Callable[[], None]) -> None:
    """Call `wake` at each notification, for ever; a lost connection is opened again.

    Returns at once where a pooler lends the connections.
    """
    while database.lending is None:
        with suppress(*_LOST):
            await _listen_once(database.engine, channel, wake)
        await asyncio.sleep(_AGAIN_SECONDS)


async def _listen_once(engine: AsyncEngine, channel: str, wake: Callable[[], None]) -> None:
    def heard(*_: object) -> None:
        wake()

    connection = await _connection_of_our_own(engine)
    try:
        await connection.add_listener(channel, heard)
        wake()  # for what was written before
        while not connection.is_closed():
            await asyncio.sleep(_CHECK_SECONDS)
            await connection.execute("SELECT", timeout=_CHECK_SECONDS)
    finally:
        connection.terminate()


async def _connection_of_our_own(engine: AsyncEngine) -> "asyncpg.Connection[Any]":
    async with asyncio.timeout(_OPEN_SECONDS):
        pooled = await engine.raw_connection()
    connection: Any = pooled.driver_connection
    pooled.detach()
    return connection
