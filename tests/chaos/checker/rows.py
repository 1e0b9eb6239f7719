"""What the tables hold at the end is what was told: no row more, none less, none otherwise."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.checker.ends import ends_told
from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import History, Message
from tests.chaos.checker.kinds import EVENTS_TOPIC
from tests.chaos.checker.linearizing import NEVER

_SHUTS, _OPENS = "UserDeactivated", "UserReactivated"


def rows(history: History) -> Iterator[Finding]:
    """Judge each account and each session that there should be, and each that there is."""
    written = sorted(history.written, key=lambda row: row.position)
    events = [row.message for row in written if row.message.topic == EVENTS_TOPIC]
    erased = {each.user for each in events if each.kind == "UserErased"} | history.erased
    yield from _accounts(history, events, erased)
    yield from _sessions(history, events, erased)


def _accounts(history: History, events: list[Message], erased: set[str]) -> Iterator[Finding]:
    there = {each.id: each for each in history.accounts}
    told = Counter(each.user for each in events)
    is_shut = {each.user: each.kind == _SHUTS for each in events if each.kind in {_SHUTS, _OPENS}}
    created = {each.user for each in events if each.kind == "UserCreated"}
    for user in created - erased - there.keys():
        yield Finding(Invariant.I1, "an account has no row", user)
    for user in there.keys() & erased:
        yield Finding(Invariant.I7, "an erased user has a row", user)
    for user in there.keys() - erased:
        if there[user].sequence != told[user]:
            yield Finding(Invariant.I4, "its row counts otherwise than its events", user)
        if there[user].is_active is is_shut.get(user, False):
            yield Finding(Invariant.I1, "open by its row and shut by its events, or so", user)


def _sessions(history: History, events: list[Message], erased: set[str]) -> Iterator[Finding]:
    there = {each.id: each for each in history.sessions}
    started = {each.session: each.user for each in events if each.kind == "SessionStarted"}
    ended = {each.session for each in events if each.kind == "SessionEnded"}
    known = ended | {session for session, at in ends_told(history).items() if at < NEVER}
    for session in (id_ for id_, user in started.items() if user not in erased):
        if session not in there:
            yield Finding(Invariant.I1, "a session has no row", session)
    for session in there.values():
        if session.id in known and not session.is_over:
            yield Finding(Invariant.I7, "the row of an ended session is open", session.id)
        if session.is_over and session.id not in ended:
            yield Finding(Invariant.I1, "an end that no event tells of", session.id)
