"""A group's rows: loaded under locks, read by `decide`, changed by `apply`, flushed once."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from authbus_service.auth.codes.code import OneTimeCode
from authbus_service.auth.codes.rows import Codes
from authbus_service.auth.factors.factor import Factor
from authbus_service.auth.factors.rows import Factors
from authbus_service.auth.guessing.attempt import Attempt, Counted, Settled
from authbus_service.auth.guessing.rows import Attempts
from authbus_service.auth.sessions.rows import Sessions
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.rows import Users
from authbus_service.auth.users.user import User


class Readable(Protocol):
    """What `decide` may see."""

    def user(self, user_id: UUID | None) -> User | None: ...
    def session(self, session_id: UUID) -> Session | None: ...
    def sessions_of(self, user_id: UUID, at: datetime) -> list[Session]: ...
    def may_have(self, canonical: str, user_id: UUID) -> bool: ...
    def code(self, code_hash: bytes) -> OneTimeCode | None: ...
    def unused_codes(self, user_id: UUID) -> list[OneTimeCode]: ...
    def failures(self, key: bytes, at: datetime) -> int: ...
    def counted(self, key: bytes | None) -> Counted: ...
    def factor(self, user_id: UUID) -> Factor | None: ...


@dataclass(slots=True)
class Rows:
    """Users that are locked, their sessions, codes and second factors.

    Some statements are made even where they change nothing, lest the time that they take tell
    something: with `hides` whether there is such a user, with `registers` whether the address of
    a new one was free, with `changes_address` whether the one that a user asks for was.
    """

    users: Users = field(default_factory=Users)
    sessions: Sessions = field(default_factory=Sessions)
    codes: Codes = field(default_factory=Codes)
    attempts: Attempts = field(default_factory=Attempts)
    factors: Factors = field(default_factory=Factors)
    hides: bool = False
    registers: bool = False
    changes_address: bool = False

    def user(self, user_id: UUID | None) -> User | None:
        """The locked user, or None when there is none."""
        return None if user_id is None else self.users.by_id.get(user_id)

    def session(self, session_id: UUID) -> Session | None:
        """The session of a locked user, or None."""
        return self.sessions.known.get(session_id)

    def sessions_of(self, user_id: UUID, at: datetime) -> list[Session]:
        """The user's live sessions that were loaded, oldest first."""
        found = [
            each
            for each in self.sessions.known.values()
            if each.user_id == user_id and each.is_live(at)
        ]
        return sorted(found, key=lambda each: (each.started_at, each.id))

    def is_gone(self, user_id: UUID) -> bool:
        """Whether this group erases the user."""
        return user_id in self.users.gone

    def may_have(self, canonical: str, user_id: UUID) -> bool:
        """Whether this user's claim of the address held: nobody else has it."""
        return self.users.owners.get(canonical) == user_id

    def code(self, code_hash: bytes) -> OneTimeCode | None:
        """The code of a locked user, or None."""
        return self.codes.known.get(code_hash)

    def unused_codes(self, user_id: UUID) -> list[OneTimeCode]:
        """The user's codes that were loaded and not used, expired ones too."""
        return [
            each
            for each in self.codes.known.values()
            if each.user_id == user_id and each.used_at is None
        ]

    def settle(self, attempt: Attempt | None, how: Settled, at: datetime) -> None:
        """What a decision made of an attempt; it names no user who was erased meanwhile."""
        if attempt is not None and self.user(attempt.user_id) is None:
            attempt = replace(attempt, user_id=None)
        self.attempts.settle(attempt, how, at)

    def failures(self, key: bytes, at: datetime) -> int:
        """How many wrong guesses count against this key, where its user is locked."""
        return self.attempts.failures(key, at)

    def counted(self, key: bytes | None) -> Counted:
        """How often a command of a group did lately what is counted under this key."""
        return self.attempts.counted(key)

    def factor(self, user_id: UUID) -> Factor | None:
        """The user's second factor, enabled or not, where it was loaded."""
        return self.factors.known.get(user_id)
