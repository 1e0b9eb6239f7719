"""What the fake holds of users, sessions and codes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from authbus import base64url
from authbus.events import EndReason
from authbus.profile import Profile
from authbus.replies import SessionEntry
from authbus.state import UserKind, UserState, UserStatus

# How long a code of each purpose is good, as the service has it.
LIFETIMES = {
    "verify_email": timedelta(hours=24),
    "change_email": timedelta(hours=24),
    "reset_password": timedelta(hours=1),
    "log_in": timedelta(minutes=5),
    "service_secret": timedelta(days=365),
}
FIRST_VERSION = 1
# A second factor that was begun can be confirmed for this long.
BEGUN = timedelta(hours=1)


@dataclass(slots=True)
class Factor:
    """A second factor, which counts once it is enabled. `recovery_codes` are plain, and unused."""

    secret: bytes = field(repr=False)
    made_at: datetime
    enabled_at: datetime | None = None
    last_step: int = 0
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(slots=True)
class Account:
    """A user; a service account has no address. Without a password none is right.

    `foreign_hash` stands for one that nobody has typed yet, `password_version` counts them.
    """

    id: UUID
    email: str = field(repr=False)
    created_at: datetime
    password: str | None = field(default=None, repr=False)
    foreign_hash: str = field(default="", repr=False)
    password_version: int = FIRST_VERSION
    sequence: int = 0
    email_verified: bool = False
    status: UserStatus = UserStatus.ACTIVE
    roles: tuple[str, ...] = ()
    profile: Profile = field(default_factory=Profile)
    locked_until: datetime | None = None
    devices: list[str] = field(default_factory=list[str], repr=False)
    factor: Factor | None = field(default=None, repr=False)

    @property
    def kind(self) -> UserKind:
        """Whose it is."""
        return UserKind.PERSON if self.email else UserKind.SERVICE

    @property
    def second_factor(self) -> bool:
        """Whether log-ins need one."""
        return self.factor is not None and self.factor.enabled_at is not None

    @property
    def is_active(self) -> bool:
        """Whether they may log in at all."""
        return self.status == UserStatus.ACTIVE

    def is_locked(self, at: datetime) -> bool:
        """Whether wrong guesses keep everybody out."""
        return self.locked_until is not None and at < self.locked_until

    def take_password(self, password: str | None) -> None:
        """This one, or none, takes the place of the old one, by which devices became known.

        So it does of a second factor that was only begun.
        """
        self.password, self.foreign_hash = password, ""
        self.password_version += 1
        self.devices = []
        self.factor = self.factor if self.second_factor else None

    @property
    def state(self) -> UserState:
        """What is told of them as of their last event."""
        return UserState(
            user_id=self.id,
            sequence=self.sequence,
            kind=self.kind,
            email=self.email or None,
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
    authenticated_at: datetime
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

    def entry(self, *, is_current: bool = False) -> SessionEntry:
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
            ended_at=self.ended_at,
            end_reason=self.end_reason,
        )


@dataclass(slots=True)
class Guess:
    """A guess at what `key` stands for. What counts no more still does against its source."""

    key: tuple[str, str]
    at: datetime
    source: str | None = field(default=None, repr=False)
    about: UUID | None = None
    counts: bool = True


@dataclass(slots=True)
class OneTimeCode:
    """A code, as the service has it: of a mail, a log-in that is half done, or a machine's secret.

    `address` is where it was sent, `password_version` that of the log-in's password.
    """

    text: str = field(repr=False)
    purpose: str
    user_id: UUID
    address: str = field(repr=False)
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    password_version: int = 0

    def is_open(self, purpose: str, at: datetime) -> bool:
        """Whether it may still be used for this."""
        return self.purpose == purpose and self.used_at is None and at < self.expires_at


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it would have been sent. `code` is what its link carries, where it has one.

    `template` is what it is about: `verify_email`, `change_email`, `reset_password`, `force_reset`,
    `email_changed`, `password_changed`, `new_device`, `second_factor_on` or `second_factor_off`.
    """

    template: str
    user_id: UUID
    address: str
    made_at: datetime
    code: str | None = field(default=None, repr=False)


def derived_id(purpose: str, command_id: UUID) -> UUID:
    """The id of something that a command makes: always the same one, as the service has it.

    Of two commands of one moment, as a fake's clock has many, the later one makes the higher id.
    """
    millisecond, order = command_id.int >> 80, command_id.int & 0xFFF
    chance = int.from_bytes(derived_bytes(purpose, command_id)[:8]) >> 2
    return UUID(int=millisecond << 80 | 0x8 << 76 | order << 64 | 0x2 << 62 | chance)


def derived_bytes(purpose: str, *causes: object) -> bytes:
    """Chance of a command's own. It is none here: anybody can derive it."""
    return sha256(" ".join(map(str, (purpose, *causes))).encode()).digest()


def derived_secret(purpose: str, *causes: object) -> str:
    """A secret that a command makes, of such chance."""
    return base64url.encode(derived_bytes(purpose, *causes))
