"""Keys in PostgreSQL: which exist. Nothing here commits."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.core.security.keyring import Key
from authbus_service.core.security.models import KeyRow

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('authbus.keys'))"


async def keys(db: AsyncConnection) -> list[Key]:
    """Every key, retired ones too."""
    found = await db.execute(select(KeyRow.__table__))
    return [Key(*row) for row in found]


async def add_first(db: AsyncConnection, first: Sequence[Key]) -> bool:
    """Write the first keys unless there are some. False: another process was first."""
    await db.execute(text(_LOCK))
    if await keys(db):
        return False
    await add(db, first)
    return True


async def add(db: AsyncConnection, new: Sequence[Key]) -> None:
    """Write these keys."""
    if new:
        await db.execute(insert(KeyRow), [asdict(key) for key in new])
