"""Second factors in PostgreSQL. Every question and every write is set-based; nothing commits."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import any_, bindparam, delete, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from authbus_service.auth.factors.factor import Factor
from authbus_service.auth.factors.models import FactorRow
from authbus_service.auth.factors.rows import Factors
from authbus_service.core.sets import Columns, insert_rows

_FACTOR = FactorRow.__table__
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_NAMES = ("user_id", "secret", "made_at", "enabled_at", "last_step", "recovery_codes")
_COLUMNS = Columns("factors", _NAMES)

_OF = select(*(_FACTOR.c[name] for name in _NAMES)).where(_FACTOR.c.user_id == any_(_IDS))
_INSERT = insert_rows(_FACTOR, _COLUMNS)
_PUT = _INSERT.on_conflict_do_update(
    index_elements=["user_id"], set_={name: _INSERT.excluded[name] for name in _NAMES[1:]}
)
_DROP = delete(FactorRow).where(_FACTOR.c.user_id == any_(_IDS))


async def of(db: AsyncConnection, user_ids: Iterable[UUID]) -> list[Factor]:
    """The factors of these users. Under the users' locks they stand still."""
    return [Factor(*row) for row in await db.execute(_OF, {"ids": list(user_ids)})]


async def flush(db: AsyncConnection, factors: Factors) -> None:
    """Write all that changed."""
    if factors.dropped:
        await db.execute(_DROP, {"ids": factors.dropped})
    if factors.changed:
        await db.execute(_PUT, _COLUMNS(factors.changed))
