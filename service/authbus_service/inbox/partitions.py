"""The inbox's partitions, one a day of command ids: made ahead, dropped past retention.

The day is the database's: a process whose clock is wrong would drop what all others ask for.
"""

from datetime import UTC, datetime, timedelta

from asyncpg import CheckViolationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.core.database import cause_of, clock_of

# Longer than the command topics keep a record (7 days): a replay never meets a forgotten id.
RETENTION = timedelta(days=9)
_AHEAD = timedelta(days=2)
_KEEP = "SELECT keep_inbox_days(:oldest, :newest)"


def oldest(at: datetime) -> datetime:
    """The oldest id time that the inbox remembers; older commands are answered `expired`."""
    return _midnight(at - RETENTION)


def is_missing(error: BaseException) -> bool:
    """Whether a row found no partition for its day."""
    cause = cause_of(error)
    # In whatever language it is told: the table is named, and no constraint of it.
    return isinstance(cause, CheckViolationError) and _blamed(cause) == ("inbox", None)


async def keep(db: AsyncConnection) -> None:
    """Make the partitions of these days, drop those past retention.

    The owner's function does it: who serves may write rows and no more.
    """
    first = oldest(await clock_of(db))
    newest = first + RETENTION + _AHEAD
    await db.execute(text(_KEEP), {"oldest": first.date(), "newest": newest.date()})


def _blamed(error: CheckViolationError) -> tuple[str | None, str | None]:
    return getattr(error, "table_name", None), getattr(error, "constraint_name", None)


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
