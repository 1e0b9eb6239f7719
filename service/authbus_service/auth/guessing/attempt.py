"""An attempt: one command that wants a password checked, and what became of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Attempt:
    """One command's attempt at what `key` stands for. Key and source are HMACs.

    `content` is the digest of what the command holds: under one id there is one guess. `user_id` is
    there when `key` stands for an account that exists. It is held until `expires_at`, and for
    UNDER_WAY at least: later nobody is told what came of it.
    """

    key: bytes = field(repr=False)
    command_id: UUID
    expires_at: datetime
    source: bytes | None = field(default=None, repr=False)
    user_id: UUID | None = None
    content: bytes | None = field(default=None, repr=False)


class State(StrEnum):
    """What the row of an attempt says. What is forgiven counts against its source alone.

    What is counted was no guess: somebody had an account made, or a mail sent.
    """

    HELD = "held"
    FAILED = "failed"
    FORGIVEN = "forgiven"
    COUNTED = "counted"


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """An attempt as it is stored. `at` is when it was held, or when it failed."""

    key: bytes = field(repr=False)
    command_id: UUID
    source: bytes | None = field(repr=False)
    user_id: UUID | None
    state: str
    at: datetime
    expires_at: datetime
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Counted:
    """How often something was done lately, by somebody or to somebody."""

    an_hour: int = 0
    a_day: int = 0
    a_minute: int = 0

    def once_more(self) -> "Counted":
        """As it is after the next time."""
        return Counted(self.an_hour + 1, self.a_day + 1, self.a_minute + 1)


NEVER = Counted()


class Settled(Enum):
    """What a decision makes of its attempt."""

    FREED = "freed"
    FAILED = "failed"
    CLEARED = "cleared"


class Verdict(Enum):
    """What may be done about an attempt: check it, ask again soon, or refuse it unchecked."""

    HELD = "held"
    WAIT = "wait"
    REFUSED = "refused"
