"""The inbox's partitions, one a day of command ids: made ahead, dropped past retention."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Longer than the command topics keep a record (7 days): a replay never meets a forgotten id.
RETENTION = timedelta(days=9)
_AHEAD = 2
_DAY = timedelta(days=1)
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('authbus.inbox.partitions'))"
_EXISTING = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'inbox'::regclass"


def oldest(at: datetime) -> datetime:
    """The oldest id time that the inbox remembers; older commands are answered `expired`."""
    return _midnight(at - RETENTION)


async def keep(db: AsyncConnection, at: datetime) -> None:
    """Make the partitions of the days around `at`, drop those past retention."""
    await db.execute(text(_LOCK))
    first = oldest(at)
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


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _name(day: datetime) -> str:
    return f"inbox_{day:%Y%m%d}"
