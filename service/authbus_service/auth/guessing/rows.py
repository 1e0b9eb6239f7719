"""The attempts of a group, in memory: what is known of them, and how each was settled."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from authbus_service.auth.guessing.attempt import (
    NEVER,
    WRONG,
    Attempt,
    Counted,
    Settled,
    State,
    StoredAttempt,
)
from authbus_service.auth.guessing.limits import failures


@dataclass(slots=True)
class Attempts:
    """`known` are the rows of accounts whose users are locked, so that they stand still.

    `counts` do not: what other processes commit at the same moment is not among them.
    """

    known: dict[tuple[bytes, UUID], StoredAttempt] = field(
        default_factory=dict[tuple[bytes, UUID], StoredAttempt]
    )
    written: list[StoredAttempt] = field(default_factory=list[StoredAttempt])
    freed: list[Attempt] = field(default_factory=list[Attempt])
    cleared: set[bytes] = field(default_factory=set[bytes])
    forgiven: set[UUID] = field(default_factory=set[UUID])
    counts: dict[bytes, Counted] = field(default_factory=dict[bytes, Counted])

    def add(self, rows: Iterable[StoredAttempt]) -> None:
        """Rows that were read."""
        self.known |= {(row.key, row.command_id): row for row in rows}

    def failures(self, key: bytes, at: datetime) -> int:
        """How many wrong guesses count against this key."""
        return len(failures((row for row in self.known.values() if row.key == key), at))

    def settle(self, attempt: Attempt | None, how: Settled, at: datetime) -> None:
        """What a decision made of an attempt."""
        if attempt is None:
            return
        if how is Settled.FAILED:
            place = (attempt.key, attempt.command_id)
            row = StoredAttempt(
                *place,
                attempt.source,
                attempt.user_id,
                State.KEPT if attempt.lasts else State.FAILED,
                at,
                attempt.expires_at,
                attempt.content,
            )
            self.known[place] = row
            self.written.append(row)
            return
        self.freed.append(attempt)
        if how is Settled.CLEARED:
            self.clear([attempt.key])

    def clear(self, keys: Iterable[bytes]) -> None:
        """What failed against these counts no more."""
        gone = set(keys)
        self.cleared |= gone
        self._count_no_more(lambda row: row.key in gone)

    def counted(self, key: bytes | None) -> Counted:
        """What was done lately, here too, that is counted under this key."""
        return NEVER if key is None else self.counts.get(key, NEVER)

    def count(
        self, keys: Iterable[bytes], command_id: UUID, expires_at: datetime, at: datetime
    ) -> None:
        """A command did what is counted under these keys."""
        for key in keys:
            self.counts[key] = self.counted(key).once_more()
            self.written.append(
                StoredAttempt(key, command_id, None, None, State.COUNTED, at, expires_at)
            )

    def forgive(self, user_id: UUID) -> None:
        """What failed against this user counts no more."""
        self.forgiven.add(user_id)
        self._count_no_more(lambda row: row.user_id == user_id)

    def _count_no_more(self, is_one: Callable[[StoredAttempt], bool]) -> None:
        self.known = {at: row for at, row in self.known.items() if not is_one(row)}
        self.written = [
            replace(row, state=State.FORGIVEN) if row.state in WRONG and is_one(row) else row
            for row in self.written
        ]
