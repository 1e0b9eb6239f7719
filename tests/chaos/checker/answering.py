"""I5: each command has one answer, that of its effect, and for its asker alone."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.checker.effects import caused
from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import Answer, Call, History, Message
from tests.chaos.checker.kinds import (
    EFFECT,
    QUESTIONS,
    REJECTED,
    REPLIES,
    UNDECIDED,
)


def answers(history: History) -> Iterator[Finding]:
    """Judge all answers to each command: among themselves, and against what was done."""
    calls = {each.id: each for each in history.calls}
    inbox = {each.command: (each.kind, each.code) for each in history.inbox}
    events = caused(history)
    given = defaultdict[str, list[Answer]](list)
    for each in history.answers:
        given[each.command].append(each)
    for command, heard in given.items():
        if command not in calls:
            yield Finding(Invariant.I5, "an answer that nobody asked for", command)
            continue
        call = calls[command]
        yield from _addressed(call, heard)
        decided = [each for each in heard if each.code not in UNDECIDED]
        yield from _agreeing(call, decided, inbox.get(command))
        yield from _true(call, decided, events.get(command, []))


def _addressed(call: Call, heard: list[Answer]) -> Iterator[Finding]:
    if any(each.topic != call.reply_topic for each in heard):
        yield Finding(Invariant.I5, "an answer on another's topic", call.id)
    if any(each.correlation != call.id for each in heard):
        yield Finding(Invariant.I5, "an answer under another correlation id", call.id)
    if any(each.kind not in REPLIES[call.kind] | {REJECTED} for each in heard):
        yield Finding(Invariant.I5, "an answer to another kind of command", call.id)


def _agreeing(
    call: Call, decided: list[Answer], handled: tuple[str, str] | None
) -> Iterator[Finding]:
    if call.kind in QUESTIONS:
        return
    if len({(each.kind, each.code) for each in decided}) > 1:
        yield Finding(Invariant.I5, "two answers", call.id)
    elif len({each.meaning for each in decided}) > 1:
        yield Finding(Invariant.I5, "two meanings", call.id)
    elif handled is not None and any((each.kind, each.code) != handled for each in decided):
        yield Finding(Invariant.I5, "an answer that is not the inbox's", call.id)


def _true(call: Call, decided: list[Answer], events: list[Message]) -> Iterator[Finding]:
    """What an answer names is what the effect was about."""
    effects = [each for each in events if each.kind == EFFECT.get(call.kind)]
    sessions = {each.session for each in effects if each.session}
    users = {each.user for each in effects}
    kinds = REPLIES[call.kind]
    good = [each for each in decided if each.kind in kinds]
    if sessions and any(each.session not in sessions for each in good if each.session):
        yield Finding(Invariant.I5, "an answer names another session", call.id)
    if users and any(each.user not in users for each in good if each.user):
        yield Finding(Invariant.I5, "an answer names another user", call.id)
