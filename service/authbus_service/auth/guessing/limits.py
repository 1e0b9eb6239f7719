"""The rule: some guesses at once, then one at a time and ever later, then none for a while.

An attempt that is under way counts as a failure until it is settled, so that guesses in parallel
are no more than guesses in a row. Where only those under way stand in the way, a log-in waits for
them: ten right ones at once are all let in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from authbus_service.auth.guessing.attempt import (
    WRONG,
    Attempt,
    Counted,
    State,
    StoredAttempt,
    Verdict,
)

_LONGEST_DOUBLING = 30
# How long a failure is remembered; against its source, how long it counts.
MEMORY = timedelta(days=1)
SOURCE_MEMORY = timedelta(hours=1)
# After this many wrong codes in a row none is let in any more (NIST 800-63B-4, 3.2.2); each is
# remembered for this long.
MOST_IN_A_ROW = 100
LONG_MEMORY = timedelta(days=400)
# An attempt is held at least this long: what its process began to check may be checked to the end,
# though nobody waits for it any more.
UNDER_WAY = timedelta(seconds=30)
# This many mails a day go to a mailbox that is nobody's yet, whoever asks for them; this often may
# a user ask for another address, with this much time between two.
_MOST_MAILS = 5
# Beside those, this many are kept for new passwords, for the address that the mailbox is called by.
_KEPT_MAILS = 2
PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """`at_once` wrong guesses are free. Each further one must wait twice as long as the last.

    From `until_lock` on each one locks for `lock`. A source may fail `per_source` times an hour,
    and ask for as many accounts.
    """

    at_once: int = 5
    first_wait: timedelta = timedelta(seconds=1)
    until_lock: int = 10
    lock: timedelta = timedelta(minutes=15)
    per_source: int = 100

    def locks(self, failures: int) -> bool:
        """Whether so many wrong guesses lock what they were aimed at."""
        return failures >= self.until_lock

    def may_register(self, from_here: Counted) -> bool:
        """Whether one more account may be asked for from a place."""
        return from_here.an_hour < self.per_source

    def wait(self, failures: int) -> timedelta:
        """How long after so many wrong guesses the next one is refused unchecked."""
        if self.locks(failures):
            return self.lock
        if failures < self.at_once:
            return timedelta()
        doublings = min(failures - self.at_once, _LONGEST_DOUBLING)
        return min(self.first_wait * 2**doublings, self.lock)

    def verdict(
        self,
        attempt: Attempt,
        of_key: Sequence[StoredAttempt],
        of_source: Sequence[StoredAttempt],
        at: datetime,
    ) -> Verdict:
        """What may be done about an attempt, given every row of its key and of its source.

        One that is among them is its own reservation, and no other guess has it under the same id;
        one that was forgiven since counts anew.
        """
        own = own_row(attempt, of_key)
        if own is not None and own.content != attempt.content:
            return Verdict.REFUSED
        if still_counts(own):
            return Verdict.HELD
        verdicts = self._of_key(of_key, at), self._of_source(of_source, at)
        by_weight = (Verdict.REFUSED, Verdict.WAIT)
        return next((each for each in by_weight if each in verdicts), Verdict.HELD)

    def _of_key(self, rows: Sequence[StoredAttempt], at: datetime) -> Verdict:
        failed, held = failures(rows, at), _held(rows, at)
        if failed and at < max(failed) + self.wait(len(failed)):
            return Verdict.REFUSED
        if sum(row.state == State.KEPT for row in rows) >= MOST_IN_A_ROW:
            return Verdict.REFUSED
        room = max(1, self.at_once - len(failed))
        return Verdict.HELD if held < room else Verdict.WAIT

    def _of_source(self, rows: Sequence[StoredAttempt], at: datetime) -> Verdict:
        since = at - SOURCE_MEMORY
        failed = sum(row.state != State.HELD and row.at > since for row in rows)
        if failed >= self.per_source:
            return Verdict.REFUSED
        return Verdict.HELD if failed + _held(rows, at) < self.per_source else Verdict.WAIT


def own_row(attempt: Attempt, of_key: Sequence[StoredAttempt]) -> StoredAttempt | None:
    """What is stored of this very attempt."""
    own = (row for row in reversed(of_key) if row.command_id == attempt.command_id)
    return next(own, None)


def still_counts(own: StoredAttempt | None) -> bool:
    """Whether there is such a row, and nobody has forgiven it."""
    return own is not None and own.state != State.FORGIVEN


def may_mail(there: Counted) -> bool:
    """Whether one more mail may go to a mailbox that its owner has not shown to be theirs."""
    return there.a_day < _MOST_MAILS


def may_use_kept(there: Counted) -> bool:
    """Whether one of the mails may go out that are kept for a mailbox's plain address."""
    return there.a_day < _KEPT_MAILS


def may_ask(by_them: Counted) -> bool:
    """Whether a user may ask once more for another address, be it free or taken."""
    return not by_them.a_minute and by_them.a_day < _MOST_MAILS


def failures(rows: Iterable[StoredAttempt], at: datetime) -> list[datetime]:
    """When the wrong guesses that still count were made."""
    since = at - MEMORY
    return [row.at for row in rows if row.state in WRONG and row.at > since]


def _held(rows: Iterable[StoredAttempt], at: datetime) -> int:
    return sum(row.state == State.HELD and row.expires_at > at for row in rows)
