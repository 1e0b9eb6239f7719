"""EndSession: a user ends one of their sessions, this one or another."""

from authbus.commands import EndSession
from authbus.events import EndReason, SessionEnded
from authbus.replies import Code, SessionIsEnded
from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request


async def prepare(command: EndSession, _: Request, tools: Tools) -> Proof:
    """Read the token; the session is loaded under its user's lock."""
    acting = tools.token(command.access_token.get_secret_value())
    return Proof(acting=acting, session_id=command.session_id)


def decide(command: EndSession, case: Case) -> Outcome:
    """End it, if it is theirs; one that has ended is answered the same while it is known."""
    who = case.who
    if who is None:
        return refused(Code.INVALID_TOKEN)
    session = case.rows.session(command.session_id)
    if session is None or session.user_id != who.user.id:
        return refused(Code.SESSION_UNKNOWN)
    answer = SessionIsEnded(session_id=session.id)
    if not session.is_live(case.at):
        return Outcome(answer)
    ended = SessionEnded(**case.told(who.user), session_id=session.id, reason=EndReason.REVOKED)
    return Outcome(answer, (ended,))
