"""Commands that come again, or too late: nothing more may come of them."""

from datetime import timedelta

from pydantic import SecretStr

from authbus.commands import LogOut
from authbus.message import Command, Reply
from authbus.replies import Code, Rejected
from authbus_service.auth.handlers import HANDLERS
from tests.model.choosing import GARBAGE, NOBODY, Making
from tests.model.expected import By
from tests.model.making import MAKERS
from tests.model.play import Play
from tests.model.real import RealService, Record
from tests.model.service import command_id

# For so long at least the inbox remembers.
_REMEMBERED = timedelta(days=8)
# For so long after its id's time a command may be sealed, and so often something else be asked.
_TAKEN, _TOLD = timedelta(minutes=10), 5


def come_again(play: Play, service: RealService) -> None:
    """The same record, or the same command sealed anew, or something else under its id."""
    at = play.model.at
    known = [
        each
        for each in service.records
        if type(each[0].command) in HANDLERS and at < each[0].expires + _REMEMBERED
    ]
    if not known:
        return
    record, first = play.choose(known)
    name = type(record.command).__name__
    match play.choose(["same bytes", "sealed anew", "something else"]):
        case "same bytes":
            right = first if at < record.expires else None
            play.check(f"{name} again", service.send(record), right)
        case "sealed anew":
            anew, right = service.record(record.command, record.by), _anew(service, record, first)
            play.check(f"{name} sealed anew", service.send(anew), right)
        case _:
            other = LogOut(session_id=NOBODY, refresh_token=SecretStr(GARBAGE))
            if record.command != other:
                mismatch = Rejected.because(Code.IDEMPOTENCY_MISMATCH)
                right = _anew(service, record, mismatch)
                service.mismatched[record.by.id] += right == mismatch
                answer = service.send(service.record(other, record.by))
                play.check(f"something else as {name}", answer, right)
    play.trail.append(f"{name} came again")
    play.nothing_more()


def _anew(service: RealService, known: Record, answer: Reply) -> Reply | None:
    """What another record under this one's id is answered, when its answer could be this one."""
    if known.made_at + _TAKEN < service.at:
        return Rejected.because(Code.STALE_ID)
    return None if service.mismatched[known.by.id] >= _TOLD else answer


def come_late(play: Play, service: RealService, kind: type[Command]) -> None:
    """A command for whose answer nobody waits any more."""
    by = play.by()
    command = MAKERS[kind](Making(play.model, play.choose, by))
    issued = play.model.at - timedelta(minutes=2)
    late = By(command_id(issued, play.number), by.client)
    record = service.record(command, late, expires=play.model.at - timedelta(seconds=1))
    play.trail.append(f"{kind.__name__} came late")
    play.check("late", service.send(record), Rejected.because(Code.EXPIRED))
    play.nothing_more()
