"""Looking for users, a page at a time: by the start of an address, by status, or all."""

from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from sqlalchemy import Select, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.auth.users.models import EmailRow, UserRow
from authbus_service.auth.users.repository import as_user
from authbus_service.auth.users.user import User

_USER = UserRow.__table__
_EMAIL = cast("Table", EmailRow.__table__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for. `after` is the last page's `next`: an address with a prefix, else an id.

    A whole address is a prefix too.
    """

    prefix: str = field(default="", repr=False)
    status: str | None = None
    after: str | None = field(default=None, repr=False)
    limit: int = 50


# Users in order, each with the place behind which the next page begins where they are the last.
Found = list[tuple[str, User]]


async def find(db: AsyncConnection, search: Search) -> Found:
    """By address when one is given, else by id, the order of registration; one beyond the limit."""
    query = _by_address(search) if search.prefix else _by_id(search)
    if search.status is not None:
        query = query.where(_USER.c.status == search.status)
    found = (await db.execute(query.limit(search.limit + 1))).mappings().all()
    rows = [dict(row) for row in found]
    return [(str(row.pop("cursor")), as_user(row)) for row in rows]


def _by_address(search: Search) -> Select[tuple[object, ...]]:
    # The key's collation is C: a prefix is a range of it, up to the last letter that ASCII has.
    cursor = _EMAIL.c.canonical
    query = (
        select(_USER, cursor.label("cursor"))
        .join_from(_EMAIL, _USER, _EMAIL.c.user_id == _USER.c.id)
        .where(cursor >= search.prefix, cursor <= search.prefix + "\x7f")
        .order_by(cursor)
    )
    return query if search.after is None else query.where(cursor > search.after)


def _by_id(search: Search) -> Select[tuple[object, ...]]:
    query = select(_USER, _USER.c.id.label("cursor")).order_by(_USER.c.id)
    return query if search.after is None else query.where(_USER.c.id > _id(search.after))


def _id(after: str) -> UUID:
    try:
        return UUID(after)
    except ValueError:
        return UUID(int=0)
