"""A sign of life on every partition of the ended sessions, so that silence can be told from an end.

It says: every session that ended before `published_through` is on this partition. That moment is
asked for before the SELECT that finds the outbox empty, and lies before the start of every
transaction that is still writing: what these commit later ended later.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, column, func, select, table

from authbus.envelope import own_headers
from authbus.state import FeedAlive
from authbus.topics import SESSIONS_ENDED
from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.relay.producer import Outgoing

KEY = "alive"
_ACTIVITY = table(
    "pg_stat_activity",
    column("datname"),
    column("pid"),
    column("application_name"),
    column("state"),
    column("backend_type"),
    column("backend_xid"),
    column("xact_start"),
    column("backend_start"),
)
# PostgreSQL does not say when a transaction began where `track_activities` is off.
_BEGAN = func.coalesce(_ACTIVITY.c.xact_start, _ACTIVITY.c.backend_start)
_NOW = func.statement_timestamp()
_WRITE = and_(
    _ACTIVITY.c.datname == func.current_database(),
    _ACTIVITY.c.pid != func.pg_backend_pid(),
    _ACTIVITY.c.backend_xid.is_not(None),
    # A superuser sees these. They end no session, and may be giving room back for long.
    _ACTIVITY.c.backend_type.is_distinct_from("autovacuum worker"),
)
_SETTLED = select(func.least(_NOW, func.min(_BEGAN)).label("through"), _NOW.label("at")).where(
    _WRITE
)
_OLDEST = (
    select(_ACTIVITY.c.pid, _ACTIVITY.c.application_name, _ACTIVITY.c.state, _NOW - _BEGAN)
    .where(_WRITE, _BEGAN.is_not(None))
    .order_by(_BEGAN)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Settled:
    """No transaction that commits from now on read a time before `through`.

    That holds for transactions that read their time after their first write or lock, as ours do.
    For `held_back` the oldest of those that still write has been open.
    """

    through: datetime
    held_back: timedelta


@dataclass(frozen=True, slots=True)
class Writer:
    """A session of PostgreSQL with a transaction that writes."""

    pid: int
    application: str
    state: str
    open_for: timedelta


async def oldest_writer(database: Database) -> Writer | None:
    """Who holds back what is settled, if anybody does."""
    async with database.reading() as db:
        found = (await db.execute(_OLDEST)).one_or_none()
    return None if found is None else Writer(*found)


async def settled(database: Database) -> Settled:
    """By the database's clock alone."""
    async with database.reading() as db:
        found = (await db.execute(_SETTLED)).one()
    return Settled(found.through, found.at - found.through)


def heartbeats(
    namespace: str, partitions: Iterable[int], published_through: datetime
) -> list[Outgoing]:
    """One record for each partition."""
    alive = FeedAlive(published_through=published_through)
    headers = own_headers(alive.wire_type(), id=new_id(), time=published_through, subject=KEY)
    return [
        Outgoing(
            topic=SESSIONS_ENDED.name(namespace),
            key=KEY.encode(),
            value=alive.to_bytes(),
            headers=headers,
            partition=partition,
        )
        for partition in partitions
    ]
