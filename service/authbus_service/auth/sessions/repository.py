"""Sessions in PostgreSQL. Every question and every write is set-based; nothing here commits."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import DateTime, Table, any_, bindparam, delete, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from authbus_service.auth.sessions.models import SessionRow
from authbus_service.auth.sessions.rows import Sessions
from authbus_service.auth.sessions.session import Session
from authbus_service.core.sets import Columns, Writes, insert_rows, update_rows

_SESSION = cast("Table", SessionRow.__table__)
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_CHANGING = (
    "id",
    "refresh_hash",
    "previous_hash",
    "last_used_at",
    "lapses_at",
    "ended_at",
    "end_reason",
    "amr",
    "authenticated_at",
    "family_hash",
)
_ALL = (
    *_CHANGING,
    "user_id",
    "client_id",
    "device",
    "ip_address",
    "started_at",
    "expires_at",
)

_BY_ID = select(_SESSION).where(_SESSION.c.id == any_(_IDS))
_LIVE_OF = select(_SESSION).where(
    _SESSION.c.user_id == any_(_IDS),
    _SESSION.c.ended_at.is_(None),
    _SESSION.c.lapses_at > func.clock_timestamp(),
)
_OVER = (
    select(_SESSION)
    .where(
        _SESSION.c.user_id == bindparam("user_id"),
        or_(_SESSION.c.ended_at.is_not(None), _SESSION.c.lapses_at <= func.clock_timestamp()),
    )
    .order_by(_SESSION.c.started_at.desc(), _SESSION.c.id.desc())
    .limit(bindparam("limit"))
)
_OPEN_OF = select(func.count()).select_from(
    select(_SESSION.c.id)
    .where(_SESSION.c.user_id == bindparam("user_id"), _SESSION.c.ended_at.is_(None))
    .limit(bindparam("limit"))
    .subquery()
)
_OWNERS = select(_SESSION.c.id, _SESSION.c.user_id).where(_SESSION.c.id == any_(_IDS))
# One time for the whole statement: else each live session would be read, and compared.
_LAPSED = (
    select(_SESSION.c.id, _SESSION.c.user_id)
    .where(_SESSION.c.ended_at.is_(None), _SESSION.c.lapses_at <= func.statement_timestamp())
    .order_by(_SESSION.c.lapses_at)
    .limit(bindparam("limit"))
)
_WITHOUT_TOKENS = select(_SESSION.c.id, _SESSION.c.user_id).where(
    _SESSION.c.family_hash == b"",
    _SESSION.c.ended_at.is_(None),
    _SESSION.c.lapses_at > func.statement_timestamp(),
)
_TIME = DateTime(timezone=True)
# What another process deletes at this moment is left to it. An array, else the plan might be one
# that reads the table from end to end.
_OLD = func.array(
    select(_SESSION.c.id)
    .where(
        _SESSION.c.ended_at >= bindparam("since", type_=_TIME),
        _SESSION.c.ended_at < bindparam("before", type_=_TIME),
    )
    .order_by(_SESSION.c.ended_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .scalar_subquery(),
    type_=ARRAY(Uuid),
)
_GONE = delete(_SESSION).where(_SESSION.c.id == any_(_OLD)).returning(_SESSION.c.ended_at).cte()
_FORGET = select(func.max(_GONE.c.ended_at))
_TOLD = {"amr": " ".join}
_NEW = Columns("new_sessions", _ALL, told=_TOLD)
_CHANGED = Columns("sessions", _CHANGING, told=_TOLD)
_INSERT = insert_rows(_SESSION, _NEW)
_UPDATE = update_rows(_SESSION, _CHANGED)


async def by_id(db: AsyncConnection, ids: Iterable[UUID]) -> list[Session]:
    """These sessions, ended ones too. Read under the locks of their users they stand still."""
    found = await db.execute(_BY_ID, {"ids": list(ids)})
    return [_session(dict(row)) for row in found.mappings()]


async def live_of(db: AsyncConnection, user_ids: Iterable[UUID]) -> list[Session]:
    """Every session of these users that goes on. Under the users' locks none is missed."""
    found = await db.execute(_LIVE_OF, {"ids": list(user_ids)})
    return [_session(dict(row)) for row in found.mappings()]


async def over(db: AsyncConnection, user_id: UUID, limit: int) -> list[Session]:
    """The newest of this user's sessions that are over, whether their end was told yet or not."""
    found = await db.execute(_OVER, {"user_id": user_id, "limit": limit})
    return [_session(dict(row)) for row in found.mappings()]


async def open_of(db: AsyncConnection, user_id: UUID, limit: int) -> int:
    """How many sessions of this user have not ended; counted up to `limit`."""
    found = await db.execute(_OPEN_OF, {"user_id": user_id, "limit": limit})
    return found.scalar_one()


async def owners(db: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The user of each of these sessions."""
    found = await db.execute(_OWNERS, {"ids": list(ids)})
    return {row.id: row.user_id for row in found}


async def lapsed(db: AsyncConnection, limit: int) -> dict[UUID, UUID]:
    """Sessions that are over and have not ended, the oldest first, with their users."""
    found = await db.execute(_LAPSED, {"limit": limit})
    return {row.id: row.user_id for row in found}


async def without_tokens(db: AsyncConnection) -> dict[UUID, UUID]:
    """Sessions that go on and whose tokens nobody can hold, with their users.

    Every session that goes on is looked at, once.
    """
    found = await db.execute(_WITHOUT_TOKENS)
    return {row.id: row.user_id for row in found}


async def forget(
    db: AsyncConnection, *, since: datetime, before: datetime, limit: int
) -> datetime | None:
    """Delete sessions that ended between these times, the oldest first, no more than `limit`.

    Returns when the last of them had ended, for the next call to begin there: what is deleted lies
    in the index for a while. None: there was none.
    """
    return await db.scalar(_FORGET, {"since": since, "before": before, "limit": limit})


def flush(writes: Writes, sessions: Sessions) -> None:
    """Write all that changed."""
    if sessions.new:
        writes.add(_INSERT, _NEW(sessions.new))
    if sessions.changed:
        writes.add(_UPDATE, _CHANGED(sessions.changed))


def _session(row: Mapping[str, Any]) -> Session:
    columns: dict[str, Any] = {**row, "amr": tuple(row["amr"].split())}
    return Session(**columns)
