"""All that is held of a user: every row of every table that refers to one, without the secrets.

Found in the tables' own declarations, so that a table which is added is in it.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    Table,
    Text,
    any_,
    bindparam,
    cast,
    collate,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from authbus.export_pages import MOST_ROWS, ExportPage, Place, Row
from authbus_service.auth.users.models import ErasedUserRow, UserRow
from authbus_service.auth.users.user import ErasedUser
from authbus_service.core.database import Base
from authbus_service.core.sets import Columns, insert_rows

_IDS = bindparam("ids", type_=ARRAY(Uuid))
_ERASED = Columns("erased", ("id", "sequence", "erased_at"))
_GONE = insert_rows(ErasedUserRow.__table__, _ERASED)
_SECRET_COLUMNS = frozenset({"password_hash", "secret"})


async def fill(db: AsyncConnection, page: ExportPage, user_id: UUID, place: Place) -> None:
    """Tell as many of the user's rows as the page takes, those behind this place."""
    for table, owner in sorted(owned(), key=lambda each: each[0].name):
        behind = place.in_table(table.name)
        if behind is None:
            continue
        if not page.take(table.name, await _rows(db, table, owner == user_id, behind)):
            return


async def _rows(
    db: AsyncConnection, table: Table, is_theirs: ColumnElement[bool], behind: str
) -> list[tuple[str, Row]]:
    """One more than a page tells, each with its key."""
    key = _key(table)
    shown = [each for each in table.c if not is_secret(each)]
    found = await db.execute(
        select(key.label("its_key"), *shown)
        .where(is_theirs, key > behind)
        .order_by(key)
        .limit(MOST_ROWS + 1)
    )
    rows = (dict(each) for each in found.mappings())
    return [(row.pop("its_key"), to_jsonable_python(row)) for row in rows]


def _key(table: Table) -> ColumnElement[Any]:
    """A row's primary key as a text, and of secrets in it a hash: it is told in a page's `next`."""
    parts = (
        func.encode(func.sha256(each), "hex") if is_secret(each) else cast(each, Text)
        for each in table.primary_key.columns
    )
    return collate(func.concat_ws(" ", *parts), "C")


async def erase(db: AsyncConnection, users: Sequence[ErasedUser]) -> None:
    """Delete every row of these users, and write down that they are gone."""
    await db.execute(_GONE, _ERASED(users))
    ids = {"ids": [each.id for each in users]}
    for table, owner in reversed(owned()):
        await db.execute(delete(table).where(owner == any_(_IDS)), ids)


def owned() -> list[tuple[Table, Column[Any]]]:
    """Each table with rows of users, and its column that says whose."""
    users = Base.metadata.tables[UserRow.__tablename__]
    others = [(table, table.c.user_id) for table in Base.metadata.sorted_tables if _is_owned(table)]
    return [(users, users.c.id), *others]


def _is_owned(table: Table) -> bool:
    return "user_id" in table.c


def is_secret(column: Column[Any]) -> bool:
    """Hashes and keys are secrets: they are of use to nobody but who wants to be the user."""
    return isinstance(column.type, LargeBinary) or column.name in _SECRET_COLUMNS
