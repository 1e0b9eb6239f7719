"""Ids: a UUIDv7 carries its time; a UUIDv8 is derived: the same record names the same thing."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7

_RANDOM_BITS = 80
_VERSION_8 = 0x8 << 76
_VARIANT = 0b10 << 62
_KEEP = ~((0xF << 76) | (0b11 << 62))


def new_id() -> UUID:
    """A new UUIDv7."""
    return uuid7()


def id_time(id_: UUID) -> datetime | None:
    """The millisecond inside a UUIDv7 or one of our UUIDv8, or None where there is none.

    That is every other version, and a time after the year 9999.
    """
    if id_.version not in {7, 8}:
        return None
    try:
        return datetime.fromtimestamp((id_.int >> _RANDOM_BITS) / 1000, UTC)
    except ValueError:
        return None


def derived_id(at: UUID, secret: bytes) -> UUID:
    """A UUIDv8: the millisecond of `at`, then the first 74 free bits of `secret` (an HMAC)."""
    head = (at.int >> _RANDOM_BITS) << _RANDOM_BITS
    body = int.from_bytes(secret[:10], "big")
    return UUID(int=((head | body) & _KEEP) | _VERSION_8 | _VARIANT)
