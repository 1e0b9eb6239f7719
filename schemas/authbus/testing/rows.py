"""What the fake holds of users, sessions and codes."""

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from authbus.events import EndReason
from authbus.profile import Profile
from authbus.replies import SessionEntry
from authbus.state import UserKind, UserState, UserStatus

# How long a code of each kind of mail is good, as the service has it.
LIFETIMES = {
    "verify_email": timedelta(hours=24),
    "change_email": timedelta(hours=24),
    "reset_password": timedelta(hours=1),
}


@dataclass(slots=True)
class Account:
    """A user."""

    id: UUID
    email: str = field(repr=False)
    password: str = field(repr=False)
    sequence: int = 0
    email_verified: bool = False
    status: UserStatus = UserStatus.ACTIVE
    roles: tuple[str, ...] = ()
    profile: Profile = field(default_factory=Profile)
    locked_until: datetime | None = None
    devices: list[str] = field(default_factory=list[str], repr=False)

    @property
    def is_active(self) -> bool:
        """Whether they may log in at all."""
        return self.status == UserStatus.ACTIVE

    def is_locked(self, at: datetime) -> bool:
        """Whether wrong guesses keep everybody out."""
        return self.locked_until is not None and at < self.locked_until

    @property
    def state(self) -> UserState:
        """What is told of them as of their last event."""
        return UserState(
            user_id=self.id,
            sequence=self.sequence,
            kind=UserKind.PERSON,
            email=self.email,
            email_verified=self.email_verified,
            status=self.status,
            roles=self.roles,
            profile=self.profile,
        )


@dataclass(slots=True)
class Held:
    """A session. `tokens` are all refresh tokens that it ever had, the good one last."""

    id: UUID
    user_id: UUID
    client_id: str
    tokens: list[str] = field(repr=False)
    started_at: datetime
    last_used_at: datetime
    lapses_at: datetime
    expires_at: datetime
    device: str | None = field(default=None, repr=False)
    ip_address: str | None = field(default=None, repr=False)
    amr: tuple[str, ...] = ("pwd",)
    ended_at: datetime | None = None
    end_reason: EndReason | None = None

    def is_live(self, at: datetime) -> bool:
        """Whether it goes on."""
        return self.ended_at is None and at < self.lapses_at

    def entry(self, *, is_current: bool) -> SessionEntry:
        """One line of the user's list."""
        return SessionEntry(
            session_id=self.id,
            client_id=self.client_id,
            amr=self.amr,
            started_at=self.started_at,
            last_used_at=self.last_used_at,
            lapses_at=self.lapses_at,
            expires_at=self.expires_at,
            device=self.device,
            ip_address=self.ip_address,
            is_current=is_current,
        )


@dataclass(slots=True)
class Mail:
    """A mail as it would have been sent. `code` is what its link carries, where it has one.

    `template` is what it is about: `verify_email`, `change_email`, `reset_password`,
    `email_changed`, `password_changed` or `new_device`.
    """

    template: str
    user_id: UUID
    address: str
    made_at: datetime
    code: str | None = field(default=None, repr=False)
    used: bool = False

    @property
    def expires_at(self) -> datetime:
        """Until when the code is good."""
        return self.made_at + LIFETIMES.get(self.template, timedelta(days=1))

    def is_open(self, template: str, at: datetime) -> bool:
        """Whether its code may still be used for this."""
        is_one = self.code is not None and self.template == template
        return is_one and not self.used and at < self.expires_at


def derived_id(purpose: str, command_id: UUID) -> UUID:
    """The id of something that a command makes: always the same one, as the service has it."""
    chance = int.from_bytes(sha256(f"{purpose} {command_id}".encode()).digest()[:10])
    fields = (command_id.int >> 80) << 80 | chance
    return UUID(int=fields & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62)


def derived_secret(purpose: str, *causes: object) -> str:
    """A secret that a command makes. It is none here: anybody can derive it."""
    found = sha256(" ".join(map(str, (purpose, *causes))).encode()).digest()
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode()
