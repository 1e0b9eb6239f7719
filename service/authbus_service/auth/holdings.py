"""All that is held of a user: every row of every table that refers to one, without the secrets.

Found in the tables' own declarations, so that a table which is added is in it.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import Column, LargeBinary, Table, any_, bindparam, delete, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from authbus_service.auth.users.models import ErasedUserRow, UserRow
from authbus_service.auth.users.user import ErasedUser
from authbus_service.core.database import Base
from authbus_service.core.sets import Columns, insert_rows

Held = dict[str, list[dict[str, Any]]]

_MOST_ROWS = 1000
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_ERASED = Columns("erased", ("id", "sequence", "erased_at"))
_GONE = insert_rows(ErasedUserRow.__table__, _ERASED)
_SECRET_COLUMNS = frozenset({"password_hash", "secret"})


async def held(db: AsyncConnection, user_id: UUID) -> Held:
    """The rows by table, as JSON data; of each table no more than 1,000."""
    found: Held = {}
    for table, owner in owned():
        shown = [each for each in table.c if not is_secret(each)]
        rows = await db.execute(select(*shown).where(owner == user_id).limit(_MOST_ROWS))
        found[table.name] = [to_jsonable_python(dict(row)) for row in rows.mappings()]
    return found


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
