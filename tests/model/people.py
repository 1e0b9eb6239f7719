"""What an outsider knows: accounts, sessions, factors and codes, and until when each is good."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from authbus_service.auth.proof import Policy
from tests.model.guesses import Guesses

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MOST_DEVICES = 10
VERIFY, CHANGE, RESET, CHALLENGE, MACHINE = "verify", "change", "reset", "challenge", "machine"
LIVES = {
    VERIFY: timedelta(hours=24),
    CHANGE: timedelta(hours=24),
    RESET: timedelta(hours=1),
    CHALLENGE: timedelta(minutes=5),
    MACHINE: timedelta(days=365),
}
# So long a second factor that was begun can be confirmed.
BEGUN = timedelta(hours=1)
# Codes that ran out, and sessions that ended, so long ago are forgotten.
_KEPT, _SESSIONS_KEPT = timedelta(days=7), timedelta(days=30)
_BETWEEN_MAILS = timedelta(minutes=1)
_MOST_OPEN = 5


@dataclass(eq=False, kw_only=True)
class Session:
    """A log-in. `refresh` are its refresh tokens, the one that is good at the end."""

    owner: "Account"
    client: str
    amr: tuple[str, ...]
    started: datetime
    lapses: datetime
    expires: datetime
    shown: datetime
    refreshed: datetime
    id: UUID | None = None
    refresh: list[str] = field(default_factory=list[str])
    ended: datetime | None = None

    def is_live(self, at: datetime) -> bool:
        return self.ended is None and at < self.lapses


@dataclass(eq=False)
class Code:
    """What a mail carries, a challenge or a machine's secret; `text` is there once it was told."""

    purpose: str
    owner: "Account"
    address: str
    made: datetime
    expires: datetime
    passwords: int
    text: str = ""
    is_used: bool = False

    def is_open(self, purpose: str, at: datetime) -> bool:
        return self.purpose == purpose and not self.is_used and at < self.expires


@dataclass(eq=False)
class Factor:
    """An app. Codes up to `last` are used; it counts once it `is_on`."""

    made: datetime
    secret: bytes = b""
    is_on: bool = False
    last: int = 0
    recovery: list[str] = field(default_factory=list[str])
    used: list[str] = field(default_factory=list[str])


@dataclass(eq=False)
class Account:
    """A user, or a machine, which has no address. `passwords` counts the changes of its password.

    `events` counts what was told of it.
    """

    email: str
    made: datetime
    id: UUID | None = None
    password: str | None = None
    passwords: int = 0
    is_active: bool = True
    is_verified: bool = False
    roles: set[str] = field(default_factory=set[str])
    locked_until: datetime | None = None
    devices: list[str] = field(default_factory=list[str])
    profile: dict[str, Any] = field(default_factory=dict[str, Any])
    version: int = 0
    factor: Factor | None = None
    sessions: list[Session] = field(default_factory=list[Session])
    codes: list[Code] = field(default_factory=list[Code])
    events: int = 0

    @property
    def has_factor(self) -> bool:
        return self.factor is not None and self.factor.is_on

    def is_locked(self, at: datetime) -> bool:
        return self.locked_until is not None and at < self.locked_until

    def live(self, at: datetime) -> list[Session]:
        """Its sessions that go on, oldest first."""
        return [each for each in self.sessions if each.is_live(at)]

    def may_mail(self, purpose: str, at: datetime) -> bool:
        """A minute between two mails of a kind, and five codes that are open."""
        open_ = [each for each in self.codes if each.is_open(purpose, at)]
        return len(open_) < _MOST_OPEN and all(each.made + _BETWEEN_MAILS <= at for each in open_)

    def code(self, purpose: str, at: datetime, address: str = "") -> Code:
        """A code is made."""
        made = Code(purpose, self, address, at, at + LIVES[purpose], self.passwords)
        self.codes.append(made)
        return made

    def new_password(self, password: str | None) -> None:
        """Codes and devices that whoever had the old one may have got are void with it."""
        self.password, self.passwords = password, self.passwords + 1
        self.devices = []
        self.factor = self.factor if self.has_factor else None
        self.spend(RESET, CHANGE)

    def spend(self, *purposes: str) -> None:
        """No code of these purposes is good any more."""
        for each in self.codes:
            each.is_used |= each.purpose in purposes


@dataclass(frozen=True, eq=False)
class Pass:
    """An access token."""

    session: Session
    until: datetime


@dataclass
class Model:
    """All accounts. `focus` is the one that was asked about last; `operators` the proofs by token.

    `client` is the one that asks now.

    `policy` are the settings, `permissions` what roles permit.
    """

    policy: Policy
    guesses: Guesses
    at: datetime = START
    accounts: list[Account] = field(default_factory=list[Account])
    gone: list[Account] = field(default_factory=list[Account])
    passes: dict[str, Pass] = field(default_factory=dict[str, Pass])
    operators: dict[str, UUID] = field(default_factory=dict[str, UUID])
    focus: Account | None = None
    client: str = ""

    def by_address(self, email: str) -> Account | None:
        named = (each for each in self.accounts if each.email.lower() == email.lower())
        return next(named, None)

    def by_id(self, id_: UUID | None) -> Account | None:
        return next((each for each in self.accounts if each.id == id_), None)

    def by_session(self, id_: UUID | None) -> Session | None:
        return next((each for each in self.sessions if each.id == id_), None)

    def by_code(self, text: str) -> Code | None:
        return next((each for each in self.codes if each.text == text), None)

    def holder(self, token: str) -> Session | None:
        """The session whose access token this is, if it may still be used."""
        held = self.passes.get(token)
        if held is None or self.at >= held.until or not held.session.is_live(self.at):
            return None
        if held.session.client != self.client:
            return None
        return held.session if held.session.owner.is_active else None

    @property
    def sessions(self) -> list[Session]:
        return [session for each in self.accounts for session in each.sessions]

    @property
    def codes(self) -> list[Code]:
        return [code for each in self.accounts for code in each.codes]

    def may_write_to(self, account: Account) -> bool:
        """Whether a mail goes to the account's address; until that was shown it is counted."""
        return account.is_verified or self.guesses.may_mail(account.email, self.at)

    def forget(self) -> None:
        """Codes that ran out and sessions that ended long ago are gone."""
        since = self.at - _SESSIONS_KEPT
        for each in self.accounts:
            each.codes = [code for code in each.codes if code.expires >= self.at - _KEPT]
            each.sessions = [one for one in each.sessions if (one.ended or self.at) >= since]

    def seen(self) -> "Seen":
        """What must stand in the tables."""
        at = self.at
        return Seen(
            users={each.id: _row(each) for each in self.accounts},
            addresses={each.email.lower(): each.id for each in self.accounts if each.email},
            live={each.id: each.owner.id for each in self.sessions if each.is_live(at)},
            gone={each.id: each.events for each in self.gone},
        )


@dataclass
class Seen:
    """What may be seen of everybody: by id, by address, sessions that go on, who is gone."""

    users: dict[UUID | None, dict[str, Any]]
    addresses: dict[str, UUID | None]
    live: dict[UUID | None, UUID | None]
    gone: dict[UUID | None, int]


def _row(account: Account) -> dict[str, Any]:
    return {
        "sequence": account.events,
        "email": account.email,
        "email_verified": account.is_verified,
        "status": "active" if account.is_active else "deactivated",
        "roles": " ".join(sorted(account.roles)),
        "locked_until": account.locked_until,
        "second_factor": account.has_factor,
        "profile": {"version": account.version, **account.profile},
    }


def shown(user: Any) -> dict[str, Any]:
    """What may be seen of an account, of the service's or of the fake's."""
    return {
        "sequence": user.sequence,
        "email": user.email,
        "email_verified": user.email_verified,
        "status": str(user.status),
        "roles": " ".join(user.roles),
        "locked_until": user.locked_until,
        "second_factor": user.second_factor,
        "profile": user.profile.model_dump(mode="json", exclude_none=True),
    }
