"""Codes in PostgreSQL. Every question and every write is set-based; nothing here commits."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import DateTime, Table, any_, bindparam, delete, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import LargeBinary, Uuid

from authbus_service.auth.codes.code import OneTimeCode, Purpose
from authbus_service.auth.codes.models import CodeRow
from authbus_service.auth.codes.rows import Codes
from authbus_service.core.sets import Columns, Writes, insert_rows, update_rows

_CODE = cast("Table", CodeRow.__table__)
_HASHES = bindparam("hashes", type_=ARRAY(LargeBinary))
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_NEW = Columns(
    "new_codes",
    (
        "hash",
        "user_id",
        "purpose",
        "address",
        "made_at",
        "expires_at",
        "used_at",
        "credential_version",
    ),
)

_BY_HASH = select(_CODE).where(_CODE.c.hash == any_(_HASHES))
# Whoever has a password alone may begin log-ins without end; what they began is over soon.
_UNUSED_OF = select(_CODE).where(
    _CODE.c.user_id == any_(_IDS),
    _CODE.c.used_at.is_(None),
    or_(_CODE.c.purpose != Purpose.LOG_IN, _CODE.c.expires_at > func.clock_timestamp()),
)
_OLD = delete(_CODE).where(_CODE.c.expires_at < bindparam("before", type_=DateTime(timezone=True)))
_INSERT = insert_rows(_CODE, _NEW)
_CHANGING = Columns("codes", ("hash", "expires_at", "used_at"))
_UPDATE = update_rows(_CODE, _CHANGING)


async def by_hash(db: AsyncConnection, hashes: Iterable[bytes]) -> list[OneTimeCode]:
    """These codes, used and expired ones too. Under their users' locks they stand still."""
    found = await db.execute(_BY_HASH, {"hashes": list(hashes)})
    return [OneTimeCode(*row) for row in found]


async def unused_of(db: AsyncConnection, user_ids: Iterable[UUID]) -> list[OneTimeCode]:
    """Every code of these users that was not used; expired ones too, but for begun log-ins."""
    found = await db.execute(_UNUSED_OF, {"ids": list(user_ids)})
    return [OneTimeCode(*row) for row in found]


def flush(writes: Writes, codes: Codes, *, even_none: bool = False) -> None:
    """Write all that changed; with `even_none` the statement that adds some without any too."""
    if codes.new or even_none:
        writes.add(_INSERT, _NEW(codes.new))
    if codes.changed:
        writes.add(_UPDATE, _CHANGING(codes.changed))


async def forget(db: AsyncConnection, *, before: datetime) -> None:
    """Let go of codes that ran out before this time: an address is kept no longer than needed."""
    await db.execute(_OLD, {"before": before})
