"""What `prepare` found out before the transaction: enough to know what to lock and to decide."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from authbus.replies import Rejected
from authbus_service.auth.users.user import Credential


@dataclass(frozen=True, slots=True)
class Claim:
    """An address that a new user wants."""

    canonical: str = field(repr=False)
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """`user_id` is locked, `session_id` loaded, `claim` claimed before `decide` sees the rows.

    `credential` is there when the password was right for it; `password_hash` is a new one to keep.
    """

    user_id: UUID | None = None
    session_id: UUID | None = None
    claim: Claim | None = None
    credential: Credential | None = None
    password_hash: str = field(default="", repr=False)
    refusal: Rejected | None = None


class Verified(Protocol):
    """What the hash pool says of a password."""

    @property
    def ok(self) -> bool: ...
    @property
    def rehash_needed(self) -> bool: ...


class Hashes(Protocol):
    """The hash pool. A verify without a hash costs as much as one with."""

    async def verify(self, phc: str | None, password: str) -> Verified: ...
    async def hash(self, password: str, salt: bytes | None = None) -> str: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What `prepare` may wait for: questions to the database and the hash pool."""

    credential: Callable[[str], Awaitable[Credential | None]]
    owner: Callable[[UUID], Awaitable[UUID | None]]
    hashes: Hashes
    policy: "Policy"


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers that rules depend on."""

    session_lifetime: timedelta
    access_token_lifetime: timedelta
    password_min_length: int
