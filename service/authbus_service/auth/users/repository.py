"""Users in PostgreSQL. Every question and every write is set-based; nothing here commits."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, any_, bindparam, delete, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, Uuid

from authbus_service.auth.users.models import EmailRow, UserRow
from authbus_service.auth.users.user import Credential, User
from authbus_service.core.sets import arrays, columns, insert_rows, update_rows

_USER = UserRow.__table__
_EMAIL = cast("Table", EmailRow.__table__)
_CANONICALS = bindparam("canonicals", type_=ARRAY(Text))
_IDS = bindparam("ids", type_=ARRAY(Uuid))

_CREDENTIALS = (
    select(_EMAIL.c.canonical, _USER.c.id, _USER.c.password_hash, _USER.c.credential_version)
    .join_from(_EMAIL, _USER, _EMAIL.c.user_id == _USER.c.id)
    .where(_EMAIL.c.canonical == any_(_CANONICALS))
)
_LOCKED = (
    select(_USER)
    .where(_USER.c.id == any_(_IDS))
    .order_by(_USER.c.id)
    .with_for_update(skip_locked=True)
)
_WAITED_FOR = select(_USER).where(_USER.c.id == any_(_IDS)).order_by(_USER.c.id).with_for_update()
_READ = select(_USER).where(_USER.c.id == any_(_IDS))
_PRESENT = select(_USER.c.id).where(_USER.c.id == any_(_IDS))
_CLAIMED = ("canonical", "user_id")
_CLAIM = (
    insert_rows(_EMAIL, _CLAIMED)
    .on_conflict_do_nothing(index_elements=["canonical"])
    .returning(_EMAIL.c.canonical, _EMAIL.c.user_id)
)
_RELEASE = delete(_EMAIL).where(_EMAIL.c.canonical == any_(_CANONICALS))
_CHANGING = (
    "id",
    "sequence",
    "status",
    "password_hash",
    "credential_version",
    "email",
    "email_verified",
    "roles",
    "locked_until",
)
_NEW = (*_CHANGING, "created_at")
_INSERT = insert_rows(_USER, _NEW)
_UPDATE = update_rows(_USER, "id", _CHANGING[1:])


async def credentials(db: AsyncConnection, canonicals: Sequence[str]) -> dict[str, Credential]:
    """The credential behind each of these addresses; unknown ones are left out."""
    found = await db.execute(_CREDENTIALS, {"canonicals": list(canonicals)})
    return {canonical: Credential(*rest) for canonical, *rest in found}


async def lock(db: AsyncConnection, ids: Iterable[UUID], *, wait: bool = False) -> list[User]:
    """These users under their row locks, in id order. Those locked elsewhere are left out."""
    found = await db.execute(_WAITED_FOR if wait else _LOCKED, {"ids": sorted(ids)})
    return [_user(dict(row)) for row in found.mappings()]


async def read(db: AsyncConnection, ids: Iterable[UUID]) -> list[User]:
    """These users as they are, without a lock."""
    found = await db.execute(_READ, {"ids": list(ids)})
    return [_user(dict(row)) for row in found.mappings()]


async def present(db: AsyncConnection, ids: Iterable[UUID]) -> set[UUID]:
    """Which of these exist, locked or not: tells a busy user from an absent one."""
    return set(await db.scalars(_PRESENT, {"ids": sorted(ids)}))


async def claim(db: AsyncConnection, claims: Mapping[str, UUID]) -> dict[str, UUID]:
    """Claim addresses (canonical -> user) that are free; returns those that held.

    Sorted, so that two groups never wait for each other in opposite order.
    """
    rows = [
        {"canonical": canonical, "user_id": user_id}
        for canonical, user_id in sorted(claims.items())
    ]
    held = await db.execute(_CLAIM, arrays(rows, _CLAIMED))
    return {row.canonical: row.user_id for row in held}


async def release(db: AsyncConnection, canonicals: Iterable[str]) -> None:
    """Let go of addresses: claims that came to nothing, and those that users gave up."""
    await db.execute(_RELEASE, {"canonicals": sorted(canonicals)})


async def add(db: AsyncConnection, users: Sequence[User]) -> None:
    """Write new users."""
    await db.execute(_INSERT, _columns(users, _NEW))


async def save(db: AsyncConnection, users: Sequence[User]) -> None:
    """Write changed users back."""
    await db.execute(_UPDATE, _columns(users, _CHANGING))


def _user(row: Mapping[str, Any]) -> User:
    columns: dict[str, Any] = {**row, "roles": tuple(row["roles"].split())}
    return User(**columns)


def _columns(users: Sequence[User], names: Sequence[str]) -> dict[str, list[Any]]:
    roles = [" ".join(each.roles) for each in users]
    return {**columns(users, names), "roles_s": roles}
