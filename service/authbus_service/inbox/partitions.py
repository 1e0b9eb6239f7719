"""The inbox's partitions, one a day of command ids: made ahead, dropped past retention.

The day is the database's: a process whose clock is wrong would drop what all others ask for.
"""

from datetime import UTC, datetime, timedelta

from asyncpg import CheckViolationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.core.database import clock_of

# Longer than the command topics keep a record (7 days): a replay never meets a forgotten id.
RETENTION = timedelta(days=9)
_AHEAD = 2
_DAY = timedelta(days=1)
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('authbus.inbox.partitions'))"
_EXISTING = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'inbox'::regclass"


def oldest(at: datetime) -> datetime:
    """The oldest id time that the inbox remembers; older commands are answered `expired`."""
    return _midnight(at - RETENTION)


def is_missing(error: BaseException) -> bool:
    """Whether a row found no partition for its day."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else None
    # In whatever language it is told: the table is named, and no constraint of it.
    return isinstance(cause, CheckViolationError) and _blamed(cause) == ("inbox", None)


async def keep(db: AsyncConnection) -> None:
    """Make the partitions of these days, drop those past retention."""
    await db.execute(text(_LOCK))
    first = oldest(await clock_of(db))
    wanted = {
        _name(day): day for day in (first + n * _DAY for n in range(RETENTION.days + 1 + _AHEAD))
    }
    existing = set(await db.scalars(text(_EXISTING)))
    for name in sorted(wanted.keys() - existing):
        start, end = wanted[name].isoformat(), (wanted[name] + _DAY).isoformat()
        await db.execute(
            text(f"CREATE TABLE {name} PARTITION OF inbox FOR VALUES FROM ('{start}') TO ('{end}')")
        )
    for name in sorted(each for each in existing - wanted.keys() if each < _name(first)):
        await db.execute(text(f"DROP TABLE {name}"))


def _blamed(error: CheckViolationError) -> tuple[str | None, str | None]:
    return getattr(error, "table_name", None), getattr(error, "constraint_name", None)


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _name(day: datetime) -> str:
    return f"inbox_{day:%Y%m%d}"
