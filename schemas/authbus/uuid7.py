"""UUIDv7 (RFC 9562): a command's identity, which carries the millisecond of its making."""

import secrets
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

_VERSION_AND_VARIANT = 0x7 << 76 | 0x2 << 62
_RANDOM_A, _RANDOM_B = 0xFFF << 64, (1 << 62) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7() -> UUID:
    """A new id of this millisecond, with 74 random bits."""
    chance = secrets.randbits(76)
    fields = (time.time_ns() // 1_000_000) << 80 | _VERSION_AND_VARIANT
    return UUID(int=fields | (chance & _RANDOM_A) | (chance & _RANDOM_B))


def time_of(id: UUID) -> datetime:  # noqa: A002 - an id is an id
    """When this id was made. Raises ValueError for an id of another version."""
    if id.version != 7:  # noqa: PLR2004 - the version that this module is about
        raise ValueError(f"a command id is a UUIDv7, not version {id.version}")
    return _EPOCH + timedelta(milliseconds=id.int >> 80)
