"""LogOut: the holder of a session's refresh token ends it."""

from authbus.commands import LogOut
from authbus.events import EndReason, SessionEnded
from authbus.replies import Code, LoggedOut
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.rows import Readable
from authbus_service.auth.sessions.service import is_holder


async def prepare(command: LogOut, tools: Tools) -> Proof:
    """Find the session's user, whose lock it stands under."""
    return Proof(
        user_id=await tools.owner(command.session_id),
        session_id=command.session_id,
    )


def decide(command: LogOut, request: Request, proof: Proof, rows: Readable) -> Outcome:
    """End the session; one that has ended is answered the same and has no second event."""
    session = rows.session(command.session_id)
    user = rows.user(proof.user_id)
    holder = is_holder(session, command.refresh_token.get_secret_value())
    if session is None or user is None or not holder:
        return refused(Code.INVALID_TOKEN)
    answer = LoggedOut(session_id=session.id)
    if session.ended_at is not None:
        return Outcome(answer)
    ended = SessionEnded(
        user_id=user.id,
        sequence=user.sequence + 1,
        actor=f"user:{user.id}",
        causation_id=request.id,
        session_id=session.id,
        reason=EndReason.LOGOUT,
    )
    return Outcome(answer, (ended,))
