"""I7: what has ended has ended for everybody who asks afterwards, in real time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tests.chaos.checker.ends import ends_told
from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import Account, Call, History
from tests.chaos.checker.kinds import ENDS_ONE, ERASES, EVENTS_TOPIC
from tests.chaos.checker.linearizing import NEVER, Operation, S, stuck_at

_WRONG = "invalid_credentials"
# What is over may be ended again, and is answered the same.
_NO_USE = ENDS_ONE | {"LogIn"}


@dataclass(frozen=True, slots=True)
class _Account:
    """What a log-in depends on."""

    password: str
    is_active: bool = True


_ABSENT = _Account("", is_active=False)


def registers(history: History) -> Iterator[Finding]:
    """Judge each session and each account as one object that all ask in turn."""
    yield from _sessions(history)
    yield from _accounts(history)
    yield from _resurrected(history)


def _sessions(history: History) -> Iterator[Finding]:
    """Who uses a session after somebody was answered that it is over is refused.

    It ends once and for ever, so this is all that the order of its calls can break.
    """
    told = ends_told(history)
    late = {
        call.session
        for call in history.calls
        if call.ended == "ok"
        and call.session
        and call.kind not in _NO_USE
        and call.invoked > told.get(call.session, NEVER)
    }
    for session in late:
        yield Finding(Invariant.I7, "a session goes on after its end", session)


def _accounts(history: History) -> Iterator[Finding]:
    by_subject = defaultdict[str, list[Call]](list)
    for call in history.calls:
        by_subject[call.subject].append(call)
    last = _last(history)
    for subject, calls in by_subject.items():
        # Too many wrong guesses refuse a right one too, and say nothing of it.
        wrong = sum(call.kind == "LogIn" and call.code == _WRONG for call in calls)
        strict = wrong < history.guesses_at_once
        operations = [each for call in calls for each in _of_account(call, strict=strict)]
        operations += [last[subject]] if subject in last else []
        at = stuck_at(operations, _ABSENT)
        if at is not None:
            yield Finding(Invariant.I7, "an account is not as it was left", f"{subject} {at}")


def _last(history: History) -> dict[str, Operation[_Account]]:
    """A look at each account's row when all is over, by its subject."""
    rows = {each.id: each for each in history.accounts if each.id not in history.erased}
    users = {each.command: each.user for each in history.answers if each.user in rows}
    at = max((call.returned or call.invoked for call in history.calls), default=0.0) + 1
    return {
        call.subject: Operation("at the end", at, at, _is_stored(rows[users[call.id]]), reads=True)
        for call in history.calls
        if call.kind == "RegisterUser" and call.ended == "ok" and call.id in users
    }


def _is_stored(row: Account) -> Callable[[_Account], _Account | None]:
    def step(account: _Account) -> _Account | None:
        return account if account.is_active == row.is_active else None

    return step


def _of_account(call: Call, *, strict: bool) -> Iterable[Operation[_Account]]:
    if call.kind == "LogIn":
        is_judged = call.ended == "ok" or (strict and call.code == _WRONG)
        return [_operation(call, _logs_in(call), reads=True)] if is_judged else []
    if call.ended == "refused" or (effect := _effect(call)) is None:
        return []
    return [_operation(call, effect)]


def _logs_in(call: Call) -> Callable[[_Account], _Account | None]:
    expected = call.ended == "ok"

    def step(account: _Account) -> _Account | None:
        is_right = account.is_active and account.password == call.password
        return account if is_right is expected else None

    return step


def _effect(call: Call) -> Callable[[_Account], _Account | None] | None:
    match call.kind:
        case "RegisterUser":
            return lambda was: _Account(call.password) if was == _ABSENT else None
        case "ChangePassword":
            return lambda was: (
                _Account(call.new_password, was.is_active)
                if was.password == call.password
                else None
            )
        case "DeactivateUser":
            return lambda was: None if was == _ABSENT else _Account(was.password, is_active=False)
        case "ReactivateUser":
            return lambda was: None if was == _ABSENT else _Account(was.password)
        case "EraseAccount":
            return lambda was: _ABSENT if was.is_active and was.password == call.password else None
        case kind if kind in ERASES:
            return lambda was: None if was == _ABSENT else _ABSENT
        case _:
            return None


def _resurrected(history: History) -> Iterator[Finding]:
    """What happened to each session, in the order of the commits."""
    over, begun = set[str](), set[str]()
    for row in sorted(history.written, key=lambda row: row.position):
        event = row.message
        if event.topic != EVENTS_TOPIC or not event.session:
            continue
        if event.session in over:
            yield Finding(Invariant.I7, "an event of an ended session", event.session)
        if event.kind == "SessionStarted" and event.session in begun - over:
            yield Finding(Invariant.I7, "a session starts twice", event.session)
        over |= {event.session} if event.kind == "SessionEnded" else set()
        begun.add(event.session)


def _operation(call: Call, step: Callable[[S], S | None], *, reads: bool = False) -> Operation[S]:
    is_known = call.returned is not None and call.ended != "unknown"
    returned = call.returned if is_known and call.returned is not None else NEVER
    return Operation(call.id, call.invoked, returned, step, reads)
