"""Mails that are still to be sent: written with the effect, deleted once they are sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Float,
    Table,
    any_,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from authbus_service.core.sets import Columns, Writes, insert_rows
from authbus_service.outbox.models import MailRow


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedMail:
    """One row; see MailRow."""

    id: UUID
    template: str
    user_id: UUID
    address: str = field(repr=False)
    command_id: UUID
    content: bytes = field(repr=False)
    master: str
    made_at: datetime
    expires_at: datetime
    due_at: datetime
    attempts: int = 0
    unanswered: int = 0


def _in_seconds(seconds: Any) -> ColumnElement[Any]:  # noqa: ANN401 - SQL of any kind
    return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


_MAIL = cast("Table", MailRow.__table__)
_COLUMNS = Columns("mails", tuple(QueuedMail.__dataclass_fields__))
_APPEND = insert_rows(_MAIL, _COLUMNS)
_IDS = bindparam("ids", type_=ARRAY(Uuid))
# One time for the whole statement: else each mail that waits would be read, and compared. An array,
# else the plan might ask anew for each mail, and find others: those that it has are due no more.
_DUE = func.array(
    select(_MAIL.c.id)
    .where(_MAIL.c.due_at <= func.statement_timestamp())
    .order_by(_MAIL.c.due_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .scalar_subquery(),
    type_=ARRAY(Uuid),
)
_TAKE = (
    update(_MAIL)
    .values(attempts=_MAIL.c.attempts + 1, due_at=_in_seconds(bindparam("seconds", type_=Float)))
    .where(_MAIL.c.id == any_(_DUE))
    .returning(*(_MAIL.c[name] for name in _COLUMNS.names))
)
_REMOVE = delete(_MAIL).where(_MAIL.c.id == any_(_IDS))
# Who has taken a mail knows when it is due again, to the microsecond; the next one changes that.
_TAKEN = (
    func.unnest(
        _IDS,
        bindparam("dues", type_=ARRAY(DateTime(timezone=True))),
        bindparam("pauses", type_=ARRAY(Float)),
    )
    .table_valued("id", "due", "pause")
    .render_derived()
)
_POSTPONE = (
    update(_MAIL)
    .values(due_at=_in_seconds(_TAKEN.c.pause))
    .where(_MAIL.c.id == _TAKEN.c.id, _MAIL.c.due_at == _TAKEN.c.due)
)
_NOTE = _POSTPONE.values(unanswered=_MAIL.c.unanswered + 1)
_GIVE_BACK = _POSTPONE.values(attempts=_MAIL.c.attempts - 1)


def add(writes: Writes, mails: Sequence[QueuedMail], *, even_none: bool = False) -> None:
    """Queue these mails in the transaction of what they tell of; see outbox.repository.add."""
    if mails or even_none:
        writes.add(_APPEND, _COLUMNS(mails))


async def take(db: AsyncConnection, *, limit: int, seconds: float) -> list[QueuedMail]:
    """Up to `limit` mails that are due, in order; nobody else gets them for so many seconds."""
    found = await db.execute(_TAKE, {"limit": limit, "seconds": seconds})
    taken = [QueuedMail(**row) for row in found.mappings()]
    return sorted(taken, key=lambda mail: (mail.made_at, mail.id))


async def remove(db: AsyncConnection, ids: Sequence[UUID]) -> None:
    """These are sent, or never will be."""
    if ids:
        await db.execute(_REMOVE, {"ids": list(ids)})


async def postpone(db: AsyncConnection, pauses: Mapping[QueuedMail, float]) -> None:
    """Try these again after so many seconds, unless others have taken them since."""
    if pauses:
        await db.execute(_POSTPONE, _as_taken(pauses))


async def note_unanswered(db: AsyncConnection, pauses: Mapping[QueuedMail, float]) -> None:
    """The same of these, of which nobody knows whether they have gone."""
    if pauses:
        await db.execute(_NOTE, _as_taken(pauses))


async def give_back(db: AsyncConnection, taken: Sequence[QueuedMail]) -> None:
    """These were not tried: whoever asks next gets them, unless others have taken them since."""
    if taken:
        await db.execute(_GIVE_BACK, _as_taken(dict.fromkeys(taken, 0.0)))


def _as_taken(pauses: Mapping[QueuedMail, float]) -> Mapping[str, Any]:
    return {
        "ids": [mail.id for mail in pauses],
        "dues": [mail.due_at for mail in pauses],
        "pauses": list(pauses.values()),
    }
