"""Users with a second factor whose secret is wrapped under a master of the test's choice."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import LargeBinary, Uuid

from authbus_service.auth.factors.service import wrapped
from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.core.security.masters import Masters

_USERS = text("""
    INSERT INTO users (id, sequence, status, password_hash, credential_version, created_at, email,
        email_verified, roles, devices, profile, second_factor)
    SELECT id, 1, 'active', '', 0, :at, id || '@example.com', true, '', '', '{"version": 0}', true
    FROM unnest(:ids) id
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)))
_FACTORS = text("""
    INSERT INTO factors (user_id, secret, made_at, enabled_at, last_step, recovery_codes)
    SELECT id, secret, :at, :at, 0, '' FROM unnest(:ids, :secrets) factor (id, secret)
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("secrets", type_=ARRAY(LargeBinary)))


async def with_factors(database: Database, masters: Masters, count: int) -> Sequence[UUID]:
    """Make so many; returns their ids, in order. The secret of each is its id."""
    ids = sorted(new_id() for _ in range(count))
    secrets = [wrapped(masters, each.bytes, each.bytes) for each in ids]
    at = datetime.now(UTC)
    async with database.transaction() as db:
        await db.execute(_USERS, {"ids": ids, "at": at})
        await db.execute(_FACTORS, {"ids": ids, "secrets": secrets, "at": at})
    return ids
