"""When the end of a session was known to somebody: by its event, or by an answer that says so."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from tests.chaos.checker.history import Call, History
from tests.chaos.checker.kinds import ENDS_ALL, ENDS_ONE, ENDS_OTHERS, EVENTS_TOPIC
from tests.chaos.checker.linearizing import NEVER


def ends_said(history: History) -> Mapping[str, float]:
    """When somebody was answered who had ended a session, by any command that told of it."""
    returned = {call.id: call.returned for call in history.calls if call.ended != "unknown"}
    found: dict[str, float] = {}
    for row in history.written:
        event = row.message
        if event.topic == EVENTS_TOPIC and event.kind == "SessionEnded":
            told = returned.get(event.cause)
            found[event.session] = NEVER if told is None else told
    return found


def ends_told(history: History) -> Mapping[str, float]:
    """The first time that each session's end was known, also where no event tells of it."""
    found = dict(ends_said(history))
    for session, at in _answered(history):
        found[session] = min(at, found.get(session, NEVER))
    return found


def _answered(history: History) -> Iterator[tuple[str, float]]:
    """Whose end follows from an answer, and when that came."""
    begun = defaultdict[str, list[tuple[str, float]]](list)
    for call in history.calls:
        if call.kind == "LogIn" and call.ended == "ok" and call.returned is not None:
            begun[call.subject].append((call.session, call.returned))
    for call in history.calls:
        if call.ended == "ok" and call.returned is not None:
            for session in _over(call, begun[call.subject]):
                yield session, call.returned


def _over(call: Call, begun: list[tuple[str, float]]) -> Iterator[str]:
    """Which sessions this call ended for sure; one that began meanwhile may have come after it."""
    if call.kind in ENDS_ONE:
        yield call.session
    if call.kind in ENDS_ALL | ENDS_OTHERS:
        own = call.session if call.kind in ENDS_OTHERS else None
        yield from (id_ for id_, at in begun if at < call.invoked and id_ != own)
