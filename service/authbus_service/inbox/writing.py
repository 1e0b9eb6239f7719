"""Who may write: everybody together, or a recovery alone.

Each transaction that writes effects takes a shared lock and gives it back at its end. A recovery
holds the lock for itself, for as long as it runs.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.core.database import Database

_LOCK = 0x77726974
_BEGIN = select(
    func.pg_try_advisory_xact_lock_shared(_LOCK).label("allowed"),
    func.clock_timestamp().label("at"),
)
# A lock of a transaction and not of a connection: a pooler lends those to whoever comes next.
_BESIDE = select(func.pg_try_advisory_xact_lock_shared(_LOCK))
_ALONE = select(func.pg_advisory_xact_lock(_LOCK))
_NOT_AVAILABLE = "55P03"  # the lock was not given within lock_timeout
# It lasts as long as the work beside it, holds no row and no snapshot, and so hinders no vacuum.
_NO_TIME_OUT = text("SET LOCAL idle_in_transaction_session_timeout = 0")


class RecoveryRunsError(RuntimeError):
    """The database is being recovered: nobody else may write until that is finished."""

    def __init__(self) -> None:
        """The cure is to wait."""
        super().__init__(
            "authbus recover is at work on this database. Nothing is handled. "
            "Start again when it has finished"
        )


class OthersWriteError(RuntimeError):
    """Somebody writes, or recovers: nobody can have the database for themselves."""

    def __init__(self) -> None:
        """The cure is to wait."""
        super().__init__(
            "somebody writes to this database: a service, an authbus dead-letters redrive, or "
            "another authbus recover, which may go on though its terminal is gone. "
            "Stop the services, wait until the others have ended, then run this again"
        )


async def begin(db: AsyncConnection) -> datetime:
    """The database's clock, read in a transaction that may write. Raises RecoveryRunsError."""
    found = (await db.execute(_BEGIN)).one()
    if not found.allowed:
        raise RecoveryRunsError
    return found.at


@asynccontextmanager
async def beside(database: Database) -> AsyncGenerator[None]:
    """A block in which no recovery begins. Raises RecoveryRunsError when one runs.

    For who judges by another clock than `begin` reads.
    """
    async with database.transaction() as db:
        await db.execute(_NO_TIME_OUT)
        if not await db.scalar(_BESIDE):
            raise RecoveryRunsError
        yield


@asynccontextmanager
async def alone(database: Database) -> AsyncGenerator[None]:
    """A block in which nobody else writes; it begins when nobody does any more.

    Raises OthersWriteError when somebody still does after a while.
    """
    async with database.transaction() as db:
        await db.execute(_NO_TIME_OUT)
        try:
            await db.execute(_ALONE)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _NOT_AVAILABLE:
                raise
            raise OthersWriteError from None
        yield
