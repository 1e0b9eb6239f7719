"""A user in memory, as the rules see it."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from authbus.profile import Profile
from authbus.state import UserKind, UserStatus

FIRST_VERSION = 1


@dataclass(slots=True)
class User:
    """An account. `credential_version` counts its passwords: a proof for an older one is void.

    `email` is its address as it was written. With `second_factor` its log-ins need one.
    """

    id: UUID
    sequence: int
    status: str
    password_hash: str = field(repr=False)
    credential_version: int
    created_at: datetime
    email: str = field(default="", repr=False)
    roles: tuple[str, ...] = ()
    email_verified: bool = False
    locked_until: datetime | None = None
    devices: bytes = field(default=b"", repr=False)
    profile: Profile = field(default=Profile(), repr=False)
    second_factor: bool = False

    @property
    def is_service(self) -> bool:
        """Whether it is a machine's: it has no address, and no password either."""
        return not self.email

    @property
    def kind(self) -> UserKind:
        """Whose it is."""
        return UserKind.SERVICE if self.is_service else UserKind.PERSON

    @property
    def is_active(self) -> bool:
        """Whether it may log in."""
        return self.status == UserStatus.ACTIVE

    @property
    def has_first_password(self) -> bool:
        """Whether no other one has taken its place."""
        return self.credential_version == FIRST_VERSION

    def is_locked(self, at: datetime) -> bool:
        """Whether guesses have locked it for the moment."""
        return self.locked_until is not None and at < self.locked_until


@dataclass(frozen=True, slots=True)
class ErasedUser:
    """What stays of an account that was erased."""

    id: UUID
    sequence: int
    erased_at: datetime


@dataclass(frozen=True, slots=True)
class Credential:
    """What a log-in is checked against, read without a lock."""

    user_id: UUID
    password_hash: str = field(repr=False)
    version: int
    devices: bytes = field(default=b"", repr=False)
