"""Sessions in PostgreSQL. Every question and every write is set-based; nothing here commits."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import any_, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from authbus_service.auth.sessions.models import SessionRow
from authbus_service.auth.sessions.rows import Sessions
from authbus_service.auth.sessions.session import Session
from authbus_service.core.sets import Columns, Writes, insert_rows, update_rows

_SESSION = SessionRow.__table__
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
_OWNERS = select(_SESSION.c.id, _SESSION.c.user_id).where(_SESSION.c.id == any_(_IDS))
# One time for the whole statement: else each live session would be read, and compared.
_LAPSED = (
    select(_SESSION.c.id, _SESSION.c.user_id)
    .where(_SESSION.c.ended_at.is_(None), _SESSION.c.lapses_at <= func.statement_timestamp())
    .order_by(_SESSION.c.lapses_at)
    .limit(bindparam("limit"))
)
_WITHOUT_TOKENS = (
    select(_SESSION.c.id, _SESSION.c.user_id)
    .where(
        _SESSION.c.family_hash == b"",
        _SESSION.c.ended_at.is_(None),
        _SESSION.c.lapses_at > func.clock_timestamp(),
    )
    .limit(bindparam("limit"))
)
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


async def owners(db: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The user of each of these sessions."""
    found = await db.execute(_OWNERS, {"ids": list(ids)})
    return {row.id: row.user_id for row in found}


async def lapsed(db: AsyncConnection, limit: int) -> dict[UUID, UUID]:
    """Sessions that are over and have not ended, the oldest first, with their users."""
    found = await db.execute(_LAPSED, {"limit": limit})
    return {row.id: row.user_id for row in found}


async def without_tokens(db: AsyncConnection, limit: int) -> dict[UUID, UUID]:
    """Sessions that go on and whose tokens nobody can hold, with their users."""
    found = await db.execute(_WITHOUT_TOKENS, {"limit": limit})
    return {row.id: row.user_id for row in found}


def flush(writes: Writes, sessions: Sessions) -> None:
    """Write all that changed."""
    if sessions.new:
        writes.add(_INSERT, _NEW(sessions.new))
    if sessions.changed:
        writes.add(_UPDATE, _CHANGED(sessions.changed))


def _session(row: Mapping[str, Any]) -> Session:
    columns: dict[str, Any] = {**row, "amr": tuple(row["amr"].split())}
    return Session(**columns)
