"""Claim a command, once and for all: its row, with its answer, in the effect's transaction.

A group claims before it writes its effect, whose ids follow from the command. When another process
was first, the insert gives fewer rows than asked, `OvertakenError` rolls the group back, and what
was answered there is read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, LargeBinary, Uuid

from authbus_service.core.ids import id_time
from authbus_service.core.sets import Columns, insert_rows
from authbus_service.inbox.models import InboxRow

_INBOX = InboxRow.__table__
_COLUMNS = Columns(
    "inbox",
    (
        "time",
        "id",
        "digest",
        "content",
        "master",
        "expires_at",
        "handled_at",
        "outcome",
    ),
)
_CLAIM = insert_rows(_INBOX, _COLUMNS).on_conflict_do_nothing().returning(_INBOX.c.id)
_TIMES = bindparam("times", type_=ARRAY(DateTime(timezone=True)))
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_ASKED = func.unnest(_TIMES, _IDS).table_valued("time", "id", name="asked").render_derived()
_KNOWN = select(_INBOX).join_from(
    _ASKED, _INBOX, (_INBOX.c.time == _ASKED.c.time) & (_INBOX.c.id == _ASKED.c.id)
)
_SHOWN = (
    func.unnest(_TIMES, _IDS, bindparam("digests", type_=ARRAY(LargeBinary)))
    .table_valued("time", "id", "digest", with_ordinality="number", name="shown")
    .render_derived()
)
_SAME = select(func.array_agg(_SHOWN.c.number)).join_from(
    _SHOWN,
    _INBOX,
    (_INBOX.c.time == _SHOWN.c.time)
    & (_INBOX.c.id == _SHOWN.c.id)
    & (_INBOX.c.digest == _SHOWN.c.digest),
)
_OVER = _SAME.where(_INBOX.c.expires_at <= bindparam("at"))
_BEFORE = _SAME.where(_INBOX.c.handled_at < bindparam("at"))
# By the key, which alone is indexed: what was handled last is among the newest commands.
_NEWEST = select(_INBOX.c.handled_at).order_by(_INBOX.c.time.desc()).limit(bindparam("limit"))
_LAST = select(func.max(_NEWEST.subquery().c.handled_at))
_NOTED = select(_INBOX.c.id, _INBOX.c.outcome["data"]["code"].astext).join_from(
    _ASKED, _INBOX, (_INBOX.c.time == _ASKED.c.time) & (_INBOX.c.id == _ASKED.c.id)
)


class Shown(NamedTuple):
    """A record of a command: its id, and SHA-256 of its bytes."""

    id: UUID
    digest: bytes


@dataclass(frozen=True, slots=True)
class Noted:
    """That a command has been handled, and its refusal's code, if it was refused."""

    code: str | None


@dataclass(frozen=True, slots=True)
class Handled:
    """A handled command. `outcome` is its answer without secrets."""

    time: datetime
    id: UUID
    digest: bytes
    content: bytes
    master: str
    expires_at: datetime
    handled_at: datetime
    outcome: dict[str, Any] = field(repr=False)


class OvertakenError(Exception):
    """Somebody else handled these commands in the meantime."""

    def __init__(self, ids: set[UUID]) -> None:
        """`ids` are the commands that were handled before."""
        super().__init__(f"{len(ids)} commands were handled elsewhere")
        self.ids = ids


async def known(db: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Handled]:
    """Which of these commands have been handled, and how. Ids without a time are none."""
    found = await db.execute(_KNOWN, _asked(ids))
    return {row["id"]: Handled(**row) for row in found.mappings()}


async def noted(db: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Noted]:
    """Which of these commands have been handled, in short: for many at once."""
    found = await db.execute(_NOTED, _asked(ids))
    return {id_: Noted(code) for id_, code in found}


async def over(db: AsyncConnection, shown: Sequence[Shown], at: datetime) -> set[int]:
    """The indexes of those in `shown` that were handled, these very bytes, and expired by then."""
    return await _same(db, _OVER, shown, at)


async def before(db: AsyncConnection, shown: Sequence[Shown], at: datetime) -> set[int]:
    """The indexes of those in `shown` that were handled, these very bytes, before then."""
    return await _same(db, _BEFORE, shown, at)


async def last_handled(db: AsyncConnection, among: int = 10_000) -> datetime | None:
    """When the last of so many newest commands was handled; None: the inbox is empty.

    An older command may have been handled later still, out of a backlog.
    """
    return await db.scalar(_LAST, {"limit": among})


async def put(db: AsyncConnection, handled: Sequence[Handled]) -> None:
    """Write these commands and their answers; those that are known stay as they are."""
    if handled:
        await db.execute(_CLAIM, _COLUMNS(handled))


async def claim(db: AsyncConnection, handled: Sequence[Handled]) -> None:
    """Write these commands and their answers, in id order. Raises OvertakenError."""
    rows = sorted(handled, key=lambda each: each.id)
    claimed = set(await db.scalars(_CLAIM, _COLUMNS(rows)))
    if missing := {each.id for each in handled} - claimed:
        raise OvertakenError(missing)


def _asked(ids: Iterable[UUID]) -> dict[str, list[Any]]:
    timed = {each: at for each in ids if (at := id_time(each)) is not None}
    return {"times": list(timed.values()), "ids": list(timed)}


async def _same(
    db: AsyncConnection, asked: Select[Any], shown: Sequence[Shown], at: datetime
) -> set[int]:
    timed = [
        (time, each, index)
        for index, each in enumerate(shown)
        if (time := id_time(each.id)) is not None
    ]
    found = await db.scalar(
        asked,
        {
            "times": [time for time, _, _ in timed],
            "ids": [each.id for _, each, _ in timed],
            "digests": [each.digest for _, each, _ in timed],
            "at": at,
        },
    )
    # The database counts from one.
    return {timed[number - 1][2] for number in found or ()}
