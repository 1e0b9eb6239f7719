"""Keys in PostgreSQL: which exist. Nothing here commits."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.core.security.keyring import Key
from authbus_service.core.security.models import KeyRow

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('authbus.keys'))"


async def keys(db: AsyncConnection) -> list[Key]:
    """Every key, retired ones too."""
    found = await db.execute(select(KeyRow.__table__))
    return [Key(*row) for row in found]


async def lock(db: AsyncConnection) -> None:
    """Let nobody else change keys until the transaction ends."""
    await db.execute(text(_LOCK))


async def add_first(db: AsyncConnection, first: Sequence[Key]) -> bool:
    """Write the first keys unless there are some. False: another process was first."""
    await lock(db)
    if await keys(db):
        return False
    await add(db, first)
    return True


async def add(db: AsyncConnection, new: Sequence[Key]) -> None:
    """Write these keys."""
    if new:
        await db.execute(insert(KeyRow), [asdict(key) for key in new])


async def set_retired(db: AsyncConnection, retired: Sequence[Key]) -> None:
    """Write down when these keys retire."""
    for key in retired:
        change = update(KeyRow).where(KeyRow.kid == key.kid)
        await db.execute(change.values(retired_at=key.retired_at))


async def remove(db: AsyncConnection, kids: Collection[str]) -> None:
    """Delete the keys of these names: nothing that needs one can be read after that."""
    await db.execute(delete(KeyRow).where(KeyRow.kid.in_(kids)))
