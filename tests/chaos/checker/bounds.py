"""I8: one address has one user at any commit, and guesses are bounded."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import History
from tests.chaos.checker.kinds import EVENTS_TOPIC


def bounds(history: History) -> Iterator[Finding]:
    """By the tables at the end, and by the commits on the way there."""
    owners = Counter(each for account in history.accounts for each in account.canonical)
    for address, count in owners.items():
        if count > 1:
            yield Finding(Invariant.I8, "an address of two users", address)
    yield from _alive_at_once(history)
    most = history.guesses_until_lock + _locks_over(history)
    for account, failures in history.failures.items():
        if failures > most:
            yield Finding(Invariant.I8, "more guesses than allowed", account)


def _locks_over(history: History) -> int:
    """How often a lock may have run out in all that time; one more guess is good after each."""
    ends = [call.returned or call.invoked for call in history.calls]
    begin = min((call.invoked for call in history.calls), default=0.0)
    return int((max(ends, default=begin) - begin) // history.locked_seconds)


def _alive_at_once(history: History) -> Iterator[Finding]:
    """Who registered an address before the one who had it was erased."""
    subjects = {each.id: each.subject for each in history.calls if each.kind == "RegisterUser"}
    alive: dict[str, str] = {}
    for row in sorted(history.written, key=lambda row: row.position):
        event = row.message
        if event.topic != EVENTS_TOPIC:
            continue
        if event.kind == "UserErased":
            alive = {subject: user for subject, user in alive.items() if user != event.user}
        subject = subjects.get(event.cause)
        if event.kind == "UserCreated" and subject is not None:
            if alive.get(subject, event.user) != event.user:
                yield Finding(Invariant.I8, "registered while another lives", subject)
            alive[subject] = event.user
