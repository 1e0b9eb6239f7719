"""I1: each command has its effect once, and none is gone without a word."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import Call, History, Message, Place
from tests.chaos.checker.kinds import (
    DONE_BEFORE,
    EFFECT,
    EVENTS_TOPIC,
    MAY_CAUSE,
    QUESTIONS,
    REFUSED_MAY_CAUSE,
    SWEPT,
)


def effects(history: History) -> Iterator[Finding]:
    """Judge each command that was asked for, and each that lies on the topics."""
    events = caused(history)
    claims = Counter(each.command for each in history.inbox)
    for call in history.calls:
        yield from _of_call(call, events.get(call.id, []), claims[call.id])
    yield from _nobodys(history, events)
    yield from _silent(history, events.keys())
    for command in ({each.id for each in history.calls} & history.dead) - history.failed:
        yield Finding(Invariant.I1, "buried, and nothing was wrong with it", command)


def caused(history: History) -> dict[str, list[Message]]:
    """The events of each command, as they were committed."""
    found = defaultdict[str, list[Message]](list)
    for row in history.written:
        if row.message.topic == EVENTS_TOPIC:
            found[row.message.cause].append(row.message)
    return found


def _of_call(call: Call, events: list[Message], claims: int) -> Iterator[Finding]:
    for rule in _of_claim(call, events, claims):
        yield Finding(Invariant.I1, rule, call.id)
    if call.kind in QUESTIONS:
        return
    for rule in _of_refusal(call, events) if call.ended == "refused" else _of_effect(call, events):
        yield Finding(Invariant.I1, rule, call.id)
    kinds = {each.kind for each in events}
    needs = call.ended == "ok" and claims and call.kind in EFFECT.keys() - DONE_BEFORE
    if needs and EFFECT[call.kind] not in kinds:
        yield Finding(Invariant.I1, "ok without an effect", call.id)


def _of_claim(call: Call, events: list[Message], claims: int) -> Iterator[str]:
    if claims > 1:
        yield "claimed twice"
    if call.kind in QUESTIONS:
        if claims or events:
            yield "a question has an effect"
    elif events and not claims:
        yield "an effect without a claim"
    elif call.ended == "ok" and not claims:
        yield "ok without a claim"


def _of_refusal(call: Call, events: list[Message]) -> Iterator[str]:
    if {each.kind for each in events} - REFUSED_MAY_CAUSE.get(call.kind, set()):
        yield "a refusal has an effect"


def _of_effect(call: Call, events: list[Message]) -> Iterator[str]:
    if {each.kind for each in events} - MAY_CAUSE[call.kind]:
        yield "an effect that is another command's"
    if sum(each.kind == EFFECT.get(call.kind) for each in events) > 1:
        yield "an effect twice"


def _nobodys(history: History, events_of: dict[str, list[Message]]) -> Iterator[Finding]:
    """Effects of commands that nobody sent."""
    sent = {each.id for each in history.calls} | {each.command for each in history.log}
    for cause, events in events_of.items():
        if cause not in sent and not all(each.reason in SWEPT for each in events):
            yield Finding(Invariant.I1, "an effect of no command", cause)


def _silent(history: History, effective: AbstractSet[str]) -> Iterator[Finding]:
    """Commands on the topics that were neither handled, answered, buried, nor are waiting.

    A question without an answer is none: its answer may be lost, and it is asked again.
    """
    spoken = {each.command for each in history.answers} | {each.command for each in history.inbox}
    questions = {each.id for each in history.calls if each.kind in QUESTIONS}
    accounted = spoken | effective | history.dead | questions
    fence = _last_fence(history)
    silent = {
        each.command
        for each in history.log
        if each.command not in accounted and each.offset < fence.get(each.place, 0)
    }
    for command in sorted(silent):
        yield Finding(Invariant.I1, "gone without a word", command)


def _last_fence(history: History) -> dict[Place, int]:
    looks = sorted(history.offsets, key=lambda each: each.at)
    return {each.place: each.fence for each in looks if each.fence is not None}
