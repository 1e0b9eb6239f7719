"""Who may write: everybody together, or a recovery alone.

Each transaction that writes effects takes a shared lock and gives it back at its end. A recovery
holds the lock for itself, for as long as it runs.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

_LOCK = 0x77726974
_BEGIN = select(
    func.pg_try_advisory_xact_lock_shared(_LOCK).label("allowed"),
    func.clock_timestamp().label("at"),
)
_BESIDE = select(func.pg_try_advisory_lock_shared(_LOCK))
_APART = select(func.pg_advisory_unlock_shared(_LOCK))
_ALONE = select(func.pg_advisory_lock(_LOCK))
_NO_MORE = select(func.pg_advisory_unlock(_LOCK))


class RecoveryRunsError(RuntimeError):
    """The database is being recovered: nobody else may write until that is finished."""

    def __init__(self) -> None:
        """The cure is to wait."""
        super().__init__(
            "authbus recover is at work on this database. Nothing is handled. "
            "Start again when it has finished"
        )


async def begin(db: AsyncConnection) -> datetime:
    """The database's clock, read in a transaction that may write. Raises RecoveryRunsError."""
    found = (await db.execute(_BEGIN)).one()
    if not found.allowed:
        raise RecoveryRunsError
    return found.at


async def beside(db: AsyncConnection) -> None:
    """Keep recoveries away for as long as this connection is open. Raises RecoveryRunsError.

    For who judges by another clock than `begin` reads.
    """
    if not await db.scalar(_BESIDE):
        raise RecoveryRunsError


async def apart(db: AsyncConnection) -> None:
    """Let a recovery begin again."""
    await db.execute(_APART)


async def alone(db: AsyncConnection) -> None:
    """Wait until nobody writes and keep it so, for as long as this connection is open."""
    await db.execute(_ALONE)


async def no_more(db: AsyncConnection) -> None:
    """Let others write again."""
    await db.execute(_NO_MORE)
