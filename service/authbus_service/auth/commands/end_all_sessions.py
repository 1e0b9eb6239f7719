"""EndAllSessions: a user ends every other session of theirs, or this one too."""

from authbus.commands import EndAllSessions
from authbus.events import EndReason
from authbus.replies import AllSessionsEnded, Code
from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request


async def prepare(command: EndAllSessions, _: Request, tools: Tools) -> Proof:
    """Read the token; all sessions of its user are loaded under the lock."""
    acting = tools.token(command.access_token.get_secret_value())
    user_id = None if acting is None else acting.user_id
    return Proof(acting=acting, user_id=user_id, every_session=True)


def decide(command: EndAllSessions, case: Case) -> Outcome:
    """An event for each session that ends."""
    who = case.who
    if who is None:
        return refused(Code.INVALID_TOKEN)
    kept = None if command.this_one_too else who.session.id
    events = case.ending(who.user, EndReason.REVOKED, but=kept)
    return Outcome(AllSessionsEnded(count=len(events)), events)
