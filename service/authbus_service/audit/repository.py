"""Failed guesses in PostgreSQL, by account and minute. Set-based; nothing here commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Table,
    any_,
    bindparam,
    delete,
    func,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime

from authbus_service.audit.models import AuditFailuresRow
from authbus_service.core.sets import Columns, insert_rows

_FAILURES = cast("Table", AuditFailuresRow.__table__)
_NAMES = ("key", "minute", "command", "outcome", "client_id", "user_id", "failures")
_COLUMNS = Columns("failures", _NAMES)
_INSERT = insert_rows(_FAILURES, _COLUMNS)
_COUNT = _INSERT.on_conflict_do_update(
    index_elements=["key", "minute"],
    set_={"failures": _FAILURES.c.failures + _INSERT.excluded.failures},
).returning(_FAILURES.c.key, _FAILURES.c.failures)
_CTID: ColumnElement[str] = literal_column("audit_failures.ctid")
# An array, else the plan might ask anew for each row, and find others: those that it has are gone.
# They are named by their places, which stand still since they are locked.
_OVER = func.array(
    select(_CTID)
    .where(_FAILURES.c.minute < bindparam("before", type_=DateTime(timezone=True)))
    .order_by(_FAILURES.c.minute, _FAILURES.c.key)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_TAKE = (
    delete(_FAILURES).where(any_(_OVER) == _CTID).returning(*(_FAILURES.c[name] for name in _NAMES))
)


@dataclass(frozen=True, slots=True)
class Failures:
    """So many in one minute; see AuditFailuresRow."""

    key: bytes = field(repr=False)
    minute: datetime
    command: str
    outcome: str
    client_id: str
    user_id: UUID | None
    failures: int


async def count(db: AsyncConnection, found: Sequence[Failures]) -> Mapping[bytes, int]:
    """Add these, each key once; returns how many each key had in that minute before."""
    rows = sorted(found, key=lambda each: each.key)
    totals = {row.key: row.failures for row in await db.execute(_COUNT, _COLUMNS(rows))}
    return {each.key: totals[each.key] - each.failures for each in rows}


async def take(db: AsyncConnection, *, before: datetime, limit: int) -> list[Failures]:
    """Remove up to `limit` of the minutes that began before this, oldest first; return them."""
    found = await db.execute(_TAKE, {"before": before, "limit": limit})
    return [Failures(**row) for row in found.mappings()]
