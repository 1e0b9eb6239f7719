"""A sign of life on every partition of the ended sessions, so that silence can be told from an end.

It says: every session that ended before `published_through` is on this partition. That moment is
asked for before the SELECT that finds the outbox empty, and lies before the start of every
transaction that is still writing: what these commit later ended later.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import column, func, select, table

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
    column("backend_xid"),
    column("xact_start"),
    column("backend_start"),
)
# PostgreSQL does not say when a transaction began where `track_activities` is off.
_BEGAN = func.coalesce(_ACTIVITY.c.xact_start, _ACTIVITY.c.backend_start)
_SETTLED = select(func.least(func.statement_timestamp(), func.min(_BEGAN))).where(
    _ACTIVITY.c.datname == func.current_database(),
    _ACTIVITY.c.pid != func.pg_backend_pid(),
    _ACTIVITY.c.backend_xid.is_not(None),
)


async def settled_through(database: Database) -> datetime:
    """By the database's clock: no transaction that commits from now on read a time before this.

    That holds for transactions that read their time after their first write or lock, as ours do.
    """
    async with database.reading() as db:
        return (await db.execute(_SETTLED)).scalar_one()


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
