"""What is still to be said, in the order in which it was written.

A row of a user is written under the lock of that user's row, so `position` is each user's order of
commits. Rows are found because they are there, never by "greater than the last position": a
transaction that commits late brings rows with lower positions. Nobody looks where none can be any
more (floor.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import getitem
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    column,
    delete,
    extract,
    func,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.envelope import Header
from authbus.topics import Topic
from authbus_service.core.sets import Columns, Writes, insert_rows
from authbus_service.outbox.floor import BEGIN
from authbus_service.outbox.models import OutboxRow

CHANNEL = "authbus_outbox"
# More rows than anybody writes, so that each time lies before the time before; see again.py.
AGAIN = 2**40


@dataclass(frozen=True, slots=True)
class Record:
    """One record to be published. `headers` hold UTF-8 without NUL; no payload is a tombstone."""

    id: UUID
    topic: Topic
    key: str
    type: str
    payload: bytes | None = field(repr=False)
    headers: Sequence[Header] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """What names a row for good: a position alone may come twice when a database is restored."""

    position: int
    id: UUID

    @property
    def first_position(self) -> int:
        """Under which it was written."""
        return self.position % AGAIN

    @property
    def is_said_again(self) -> bool:
        return self.position < 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """One row; `topic` has no namespace in front."""

    said: Said
    topic: str
    key: str
    type: str
    payload: bytes | None = field(repr=False)
    headers: Sequence[Header] = field(repr=False)
    written_at: datetime


_NAMES = ("id", "aggregatetype", "aggregateid", "type", "payload", "headers")
_COLUMNS = Columns("outbox", _NAMES, read=getitem)
# However often it is notified, a transaction notifies once.
_APPEND = insert_rows(OutboxRow.__table__, _COLUMNS).returning(func.pg_notify(CHANNEL, ""))
_OLDEST = (
    select(
        OutboxRow.position,
        OutboxRow.id,
        OutboxRow.aggregatetype,
        OutboxRow.aggregateid,
        OutboxRow.type,
        OutboxRow.payload,
        OutboxRow.headers,
        OutboxRow.timestamp,
    )
    .where(OutboxRow.position >= BEGIN)
    .order_by(OutboxRow.position)
    .limit(bindparam("limit"))
)
_WAITING = select(OutboxRow.id, OutboxRow.aggregatetype).where(
    OutboxRow.id == any_(bindparam("ids", type_=ARRAY(Uuid())))
)
_HEADER = (
    func.jsonb_array_elements(OutboxRow.headers)
    .table_valued(column("value", JSONB), name="header")
    .c.value
)
_CAUSES = (
    select(_HEADER[1].astext)
    .select_from(OutboxRow)
    .join(_HEADER.table, true())
    .where(
        _HEADER[0].astext == "ce_causationid",
        _HEADER[1].astext == any_(bindparam("names", type_=ARRAY(Text()))),
    )
)
_OLDEST_AGE = (
    select(extract("epoch", func.clock_timestamp() - OutboxRow.timestamp))
    .where(OutboxRow.position >= BEGIN)
    .order_by(OutboxRow.position)
    .limit(1)
)
_OF_TOPIC = select(
    OutboxRow.position, OutboxRow.id, OutboxRow.aggregateid, OutboxRow.payload.is_(None)
).where(OutboxRow.aggregatetype == bindparam("topic"))
# Without a cause it is no command's effect: `authbus state rebuild` told it again.
_TAKE_RETOLD = (
    delete(OutboxRow)
    .where(
        OutboxRow.aggregatetype == bindparam("topic"),
        OutboxRow.payload.is_not(None),
        ~OutboxRow.headers.contains([["ce_causationid"]]),
    )
    .returning(OutboxRow.aggregateid)
)
# By arrays and not by a join, which is planned for few rows, and slow with many: see `_PLANS`.
NAMED = and_(
    OutboxRow.position == any_(bindparam("positions", type_=ARRAY(BigInteger()))),
    OutboxRow.id == any_(bindparam("ids", type_=ARRAY(Uuid()))),
)
_DELETE = delete(OutboxRow).where(NAMED)


def add(writes: Writes, records: Sequence[Record], *, even_none: bool = False) -> None:
    """Write records in this order and wake the relay when the transaction commits.

    With `even_none` the statement is made without any too. Raises UnicodeDecodeError for a header
    that is not UTF-8, before anything is written.
    """
    if not records and not even_none:
        return
    rows = [
        {
            "id": record.id,
            "aggregatetype": record.topic.suffix,
            "aggregateid": record.key,
            "type": record.type,
            "payload": record.payload,
            "headers": [[name, value.decode()] for name, value in record.headers],
        }
        for record in records
    ]
    writes.add(_APPEND, _COLUMNS(rows))


async def append(db: AsyncConnection, records: Sequence[Record]) -> None:
    """Write records alone; see `add`."""
    async with Writes.to(db) as writes:
        add(writes, records)


async def oldest(db: AsyncConnection, limit: int) -> list[Waiting]:
    """Up to `limit` rows in the order of their positions."""
    rows = await db.execute(_OLDEST, {"limit": limit})
    return [
        Waiting(
            Said(position, id_),
            topic,
            key,
            kind,
            payload,
            [(name, value.encode()) for name, value in headers],
            written_at,
        )
        for position, id_, topic, key, kind, payload, headers, written_at in rows
    ]


async def count(db: AsyncConnection) -> int:
    """How many rows wait."""
    return await db.scalar(select(func.count()).select_from(OutboxRow)) or 0


async def oldest_age(db: AsyncConnection) -> float:
    """For how many seconds the row with the lowest position has waited; 0 for none."""
    age = (await db.execute(_OLDEST_AGE)).scalar()
    return 0.0 if age is None else max(0.0, float(age))


async def waiting(db: AsyncConnection, ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """Those of these records whose rows are still there, and their topics without namespace."""
    found = await db.execute(_WAITING, {"ids": list(ids)})
    return {row.id: row.aggregatetype for row in found}


async def all_ids(db: AsyncConnection) -> frozenset[UUID]:
    """The ids of all records whose rows are there."""
    return frozenset(await db.scalars(select(OutboxRow.id)))


async def of_topic(db: AsyncConnection, topic: Topic) -> list[tuple[Said, str, bool]]:
    """The rows of one topic: what names each, its key, and whether it is a tombstone."""
    rows = await db.execute(_OF_TOPIC, {"topic": topic.suffix})
    return [(Said(position, id_), key, is_end) for position, id_, key, is_end in rows]


async def take_retold(db: AsyncConnection, topic: Topic) -> set[str]:
    """Delete what a rebuild of this topic left waiting, tombstones apart; returns its keys."""
    return {*await db.scalars(_TAKE_RETOLD, {"topic": topic.suffix})}


async def unsaid(db: AsyncConnection, commands: Iterable[UUID]) -> set[UUID]:
    """Those of these commands of whose effect rows are still there."""
    names = [str(each) for each in commands]
    caused = await db.scalars(_CAUSES, {"names": names})
    # What the relay only remembers has the command's own id.
    return {*map(UUID, caused), *await waiting(db, map(UUID, names))}


async def remove(
    db: AsyncConnection, said: Sequence[Said], *, provided: ColumnElement[bool]
) -> int:
    """Delete those of these that are still there, and say how many these were.

    None is deleted where `provided` does not hold.
    """
    return (await db.execute(_DELETE.where(provided), names_of(said))).rowcount


def names_of(said: Sequence[Said]) -> Mapping[str, Sequence[object]]:
    """What NAMED asks for."""
    return {"positions": [row.position for row in said], "ids": [row.id for row in said]}
