"""Secrets of second factors are wrapped again when the master key was replaced.

They outlive the commands that they were derived from, so a master may leave the list only once
nothing is wrapped under it.
"""

from sqlalchemy import LargeBinary, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.auth.factors import repository as factors
from authbus_service.auth.factors.models import FactorRow
from authbus_service.auth.factors.rows import Factors
from authbus_service.auth.factors.service import opened, wrapped
from authbus_service.auth.users import repository as users
from authbus_service.core.database import Database
from authbus_service.core.security.masters import Masters

_AT_ONCE = 500
_NAME = func.substring(FactorRow.secret, 1, 4, type_=LargeBinary)
_OTHERS = (
    select(FactorRow.user_id)
    .where(bindparam("name", type_=LargeBinary) != _NAME)
    .order_by(FactorRow.user_id)
    .limit(_AT_ONCE)
)


async def rewrap(database: Database, masters: Masters) -> int:
    """Wrap what is under another master under the current one; returns how many there were.

    Raises MasterKeyError when that other master is not given.
    """
    total = 0
    while True:
        async with database.transaction() as db:
            count = await _some(db, masters)
        total += count
        if count < _AT_ONCE:
            return total


async def _some(db: AsyncConnection, masters: Masters) -> int:
    """Under the locks of their users, so that nobody writes an older row over it."""
    name = bytes.fromhex(masters.current)
    ids = list(await db.scalars(_OTHERS, {"name": name}))
    if not ids:
        return 0
    await users.lock(db, ids, wait=True)
    rows = Factors()
    for factor in await factors.of(db, ids):
        secret = opened(factor, masters)
        factor.secret = wrapped(masters, factor.user_id.bytes, secret)
        rows.put(factor)
    await factors.flush(db, rows)
    return len(ids)
