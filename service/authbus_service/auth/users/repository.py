"""Users in PostgreSQL. Every question and every write is set-based; nothing here commits."""

from collections.abc import Iterable, Mapping, Sequence
from operator import getitem
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, any_, bindparam, delete, select, text, true, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, Uuid

from authbus.addresses import canonical
from authbus.profile import Profile
from authbus_service.auth.users.models import EmailRow, ErasedUserRow, UserRow
from authbus_service.auth.users.rows import Users
from authbus_service.auth.users.user import Credential, User
from authbus_service.core.sets import Columns, Values, Writes, insert_rows, update_rows


def _as_json(profile: Profile) -> dict[str, Any]:
    return profile.model_dump(mode="json", exclude_none=True)


_USER = UserRow.__table__
_EMAIL = cast("Table", EmailRow.__table__)
_AT_ONCE = 5000
_CANONICALS = bindparam("canonicals", type_=ARRAY(Text))
_IDS = bindparam("ids", type_=ARRAY(Uuid))

_CREDENTIALS = (
    select(
        _EMAIL.c.canonical,
        _USER.c.id,
        _USER.c.password_hash,
        _USER.c.credential_version,
        _USER.c.devices,
    )
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
_ABOUT = text("SELECT reltuples::bigint FROM pg_class WHERE oid = 'users'::regclass")
_SEQUENCES = union_all(
    *(
        select(each.c.id, each.c.sequence).where(each.c.id == any_(_IDS))
        for each in (_USER, ErasedUserRow.__table__)
    )
)
_DISOWN = delete(_EMAIL).where(_EMAIL.c.user_id == any_(_IDS))
_ADDRESSES = select(_USER.c.id, _USER.c.email).where(_USER.c.id == any_(_IDS))
_CLAIMED = Columns("emails", ("canonical", "user_id"), read=getitem)
# It goes with what else is asked when addresses are claimed.
CLAIM = (
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
    "devices",
    "second_factor",
)
_TOLD = {"roles": " ".join, "profile": _as_json}
_NEW = Columns("new_users", (*_CHANGING, "created_at", "profile"), told=_TOLD)
_CHANGED = Columns("users", _CHANGING, told=_TOLD)
_PROFILE = Columns("profiles", ("id", "profile"), told=_TOLD)
_INSERT = insert_rows(_USER, _NEW)
_UPDATE = update_rows(_USER, _CHANGED)
_UPDATE_PROFILE = update_rows(_USER, _PROFILE)


async def credentials(db: AsyncConnection, canonicals: Sequence[str]) -> dict[str, Credential]:
    """The credential behind each of these addresses; unknown ones are left out."""
    found = await db.execute(_CREDENTIALS, {"canonicals": list(canonicals)})
    return {canonical: Credential(*rest) for canonical, *rest in found}


async def lock(db: AsyncConnection, ids: Iterable[UUID], *, wait: bool = False) -> list[User]:
    """These users under their row locks, in id order. Those locked elsewhere are left out."""
    found = await db.execute(_WAITED_FOR if wait else _LOCKED, {"ids": sorted(ids)})
    return [as_user(dict(row)) for row in found.mappings()]


async def read(db: AsyncConnection, ids: Iterable[UUID]) -> list[User]:
    """These users as they are, without a lock."""
    found = await db.execute(_READ, {"ids": list(ids)})
    return [as_user(dict(row)) for row in found.mappings()]


async def present(db: AsyncConnection, ids: Iterable[UUID]) -> set[UUID]:
    """Which of these exist, locked or not: tells a busy user from an absent one."""
    return set(await db.scalars(_PRESENT, {"ids": sorted(ids)}))


async def about(db: AsyncConnection) -> int | None:
    """How many users there were when PostgreSQL last looked; None: it has not so far."""
    found = await db.scalar(_ABOUT)
    return None if found is None or found < 0 else found


async def next_ids(db: AsyncConnection, after: UUID | None, limit: int) -> list[UUID]:
    """The ids behind this one, or the first, in order, so many at most."""
    behind = true() if after is None else _USER.c.id > after
    return list(
        await db.scalars(select(_USER.c.id).where(behind).order_by(_USER.c.id).limit(limit))
    )


async def sequences(db: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many events each of these users has had, erased ones too; nobody else is in it."""
    found = await db.execute(_SEQUENCES, {"ids": list(ids)})
    return {row.id: row.sequence for row in found}


async def own_addresses(db: AsyncConnection, ids: Iterable[UUID]) -> None:
    """Let each of these users have the address of their row, and no other one."""
    every = list(ids)
    slices = [every[begin : begin + _AT_ONCE] for begin in range(0, len(every), _AT_ONCE)]
    for each in slices:
        await db.execute(_DISOWN, {"ids": each})
    for each in slices:
        found = await db.execute(_ADDRESSES, {"ids": each})
        claims = {canonical(row.email): row.id for row in found}
        rows = [{"canonical": name, "user_id": user_id} for name, user_id in claims.items() if name]
        if rows:
            await db.execute(insert_rows(_EMAIL, _CLAIMED), _CLAIMED(rows))


def claiming(claims: Mapping[str, UUID]) -> Values:
    """The parameters of `CLAIM`, for addresses (canonical -> user): those that hold come back.

    Sorted, so that two groups never wait for each other in opposite order.
    """
    return _CLAIMED(
        [
            {"canonical": canonical, "user_id": user_id}
            for canonical, user_id in sorted(claims.items())
        ]
    )


def flush(
    writes: Writes, users: Users, *, even_none: bool = False, even_none_new: bool = False
) -> None:
    """Write all that changed but profiles and addresses; see `flush_rest`.

    With `even_none` the statement that changes users is made without any too, with `even_none_new`
    the one that makes them.
    """
    if users.new or even_none_new:
        writes.add(_INSERT, _NEW(users.new))
    if users.changed or even_none:
        writes.add(_UPDATE, _CHANGED(users.changed))


async def flush_rest(db: AsyncConnection, users: Users, *, even_none: bool = False) -> None:
    """Let go of addresses that nobody has, and write profiles, whose rows changed before.

    With `even_none` the statement that lets go of addresses is made without any too.
    """
    if users.free or even_none:
        await db.execute(_RELEASE, {"canonicals": users.free})
    if users.profiles:
        await db.execute(_UPDATE_PROFILE, _PROFILE(users.profiles))


def as_user(row: Mapping[str, Any]) -> User:
    """The user of a row."""
    columns: dict[str, Any] = {
        **row,
        "roles": tuple(row["roles"].split()),
        "profile": Profile.model_validate(row["profile"]),
    }
    return User(**columns)
