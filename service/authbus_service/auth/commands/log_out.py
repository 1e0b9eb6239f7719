"""LogOut: the holder of a session's refresh token ends it."""

from authbus.commands import LogOut
from authbus.events import EndReason, SessionEnded
from authbus.replies import Code, LoggedOut
from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.sessions.service import is_holder


async def prepare(command: LogOut, _: Request, tools: Tools) -> Proof:
    """Find the session's user, whose lock it stands under."""
    return Proof(
        user_id=await tools.owner(command.session_id),
        session_id=command.session_id,
    )


def decide(command: LogOut, case: Case) -> Outcome:
    """End the session; one that has ended, and is known still, has the same answer and no event."""
    session = case.rows.session(command.session_id)
    user = case.rows.user(case.proof.user_id)
    holder = is_holder(session, command.refresh_token.get_secret_value())
    if session is None or user is None or not holder:
        return refused(Code.INVALID_TOKEN)
    answer = LoggedOut(session_id=session.id)
    if session.ended_at is not None:
        return Outcome(answer)
    ended = SessionEnded(**case.told(user), session_id=session.id, reason=EndReason.LOGOUT)
    return Outcome(answer, (ended,))
