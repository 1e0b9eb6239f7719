"""Secrets of second factors are wrapped again when the master key was replaced.

They outlive the commands that they were derived from, so a master may leave the list only once
nothing is wrapped under it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import LargeBinary, Text, Uuid, bindparam, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.auth.factors import repository as factors
from authbus_service.auth.factors.models import FactorRow
from authbus_service.auth.factors.rows import Factors
from authbus_service.auth.factors.service import opened, wrapped
from authbus_service.auth.users import repository as users
from authbus_service.core.security.masters import MasterKeyError, Masters, MissingMasterError

AT_ONCE = 500
FIRST = UUID(int=0)
_NAME = func.substring(FactorRow.secret, 1, 4, type_=LargeBinary)
_OTHERS = (
    select(FactorRow.user_id)
    .where(
        FactorRow.user_id > bindparam("after", type_=Uuid),
        bindparam("name", type_=LargeBinary) != _NAME,
    )
    .order_by(FactorRow.user_id)
    .limit(bindparam("limit"))
)
# This many in one statement: none of them takes long, however many there are.
_COUNTED = 10_000
_SOME = (
    select(FactorRow.user_id, _NAME.label("name"))
    .where(FactorRow.user_id > bindparam("after", type_=Uuid))
    .order_by(FactorRow.user_id)
    .limit(bindparam("limit"))
    .subquery()
)
# PostgreSQL has no greatest of UUIDs, and their texts have the same order.
_LAST = func.max(cast(_SOME.c.user_id, Text).collate("C"))
_BY_MASTER = select(_SOME.c.name, func.count(), _LAST).group_by(_SOME.c.name)


@dataclass(frozen=True, slots=True)
class Batch:
    """So many were wrapped again, so many are locked elsewhere; `last` is None behind the last.

    `unreadable` are users whose secret was altered: it stays as it is.
    """

    done: int
    busy: int
    last: UUID | None
    unreadable: Sequence[UUID] = ()


async def by_master(db: AsyncConnection) -> Mapping[str, int]:
    """How many secrets are wrapped under each master."""
    found, after = Counter[str](), FIRST
    while True:
        some = (await db.execute(_BY_MASTER, {"after": after, "limit": _COUNTED})).all()
        found.update({name.hex(): count for name, count, _ in some})
        if sum(count for _, count, _ in some) < _COUNTED:
            return found
        after = max(UUID(last) for _, _, last in some)


async def rewrap(
    db: AsyncConnection, masters: Masters, after: UUID = FIRST, limit: int = AT_ONCE
) -> Batch:
    """Wrap what is under another master under the current one, of the users behind `after`.

    Under the locks of their users, so that nobody writes an older row over it, and without waiting
    for one: nobody else waits for long either. Raises MissingMasterError when one is not given.
    """
    asked = {"name": bytes.fromhex(masters.current), "after": after, "limit": limit}
    ids = list(await db.scalars(_OTHERS, asked))
    if not ids:
        return Batch(0, 0, None)
    free = [user.id for user in await users.lock(db, ids)]
    rows, unreadable = Factors(), list[UUID]()
    for factor in await factors.of(db, free):
        try:
            secret = opened(factor, masters)
        except MissingMasterError:
            raise
        except MasterKeyError:
            unreadable.append(factor.user_id)
            continue
        factor.secret = wrapped(masters, factor.user_id.bytes, secret)
        rows.put(factor)
    await factors.flush(db, rows)
    last = ids[-1] if len(ids) == limit else None
    return Batch(len(rows.changed), len(ids) - len(free), last, tuple(unreadable))
