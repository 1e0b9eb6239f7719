"""Secrets of second factors are wrapped again when the master key was replaced.

They outlive the commands that they were derived from, so a master may leave the list only once
nothing is wrapped under it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import LargeBinary, Uuid, bindparam, func, select
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
_BY_MASTER = select(_NAME, func.count()).group_by(_NAME)


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
    return {name.hex(): count for name, count in await db.execute(_BY_MASTER)}


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
