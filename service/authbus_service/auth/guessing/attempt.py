"""An attempt: one command that wants a password checked, and what became of it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Attempt:
    """One command's attempt at what `key` stands for. Key and source are HMACs.

    `content` is the digest of what the command holds: under one id there is one guess. `user_id` is
    there when `key` stands for an account that exists. It is held until `expires_at`, and for
    UNDER_WAY at least: later nobody is told what came of it. One that `lasts` is remembered, when
    it was wrong, until a right one comes, or somebody forgives it.
    """

    key: bytes = field(repr=False)
    command_id: UUID
    expires_at: datetime
    source: bytes | None = field(default=None, repr=False)
    user_id: UUID | None = None
    content: bytes | None = field(default=None, repr=False)
    lasts: bool = False


class State(StrEnum):
    """What the row of an attempt says. What is forgiven counts against its source alone.

    What is kept has failed too, and however old it is it stands in a row with others.

    What is counted was no guess: somebody had an account made, or a mail sent.
    """

    HELD = "held"
    FAILED = "failed"
    KEPT = "kept"
    FORGIVEN = "forgiven"
    COUNTED = "counted"


WRONG = (State.FAILED, State.KEPT)


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


def keys_and_sources(attempts: Iterable[Attempt]) -> tuple[set[bytes], set[bytes]]:
    """The keys and the sources of these attempts."""
    found = list(attempts)
    return {each.key for each in found}, {each.source for each in found if each.source is not None}


def by_key_and_source(
    rows: Iterable[StoredAttempt],
) -> tuple[defaultdict[bytes, list[StoredAttempt]], defaultdict[bytes, list[StoredAttempt]]]:
    """The rows by their key, and by their source."""
    of_key = defaultdict[bytes, list[StoredAttempt]](list)
    of_source = defaultdict[bytes, list[StoredAttempt]](list)
    for row in rows:
        of_key[row.key].append(row)
        if row.source is not None:
            of_source[row.source].append(row)
    return of_key, of_source
