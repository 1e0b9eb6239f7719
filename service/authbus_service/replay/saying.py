"""Waiting for the relay: what only waits to be said can be lost with the database."""

import asyncio
from collections.abc import Collection
from uuid import UUID

from authbus_service.core.database import Database
from authbus_service.outbox import repository as outbox

_PAUSE_SECONDS = 0.05


async def unsaid(
    database: Database, commands: Collection[UUID], *, within: float
) -> Collection[UUID]:
    """Wait so many seconds; returns of which of these commands something is still to be said."""
    loop = asyncio.get_running_loop()
    until = loop.time() + within
    while commands:
        async with database.reading() as db:
            commands = await outbox.unsaid(db, commands)
        if not commands or loop.time() >= until:
            break
        await asyncio.sleep(_PAUSE_SECONDS)
    return commands
