"""RefreshSession: the holder of a session's refresh token changes it for new tokens.

A token that was used before tells that somebody has a copy, and nobody knows who: the session ends.
"""

from authbus.commands import RefreshSession
from authbus.events import EndReason, SessionEnded, SessionRefreshed
from authbus.replies import Code, Rejected
from authbus_service.auth import actors
from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Outcome, Renewed, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.sessions.service import ShownToken, shown_token
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.sessions.tokens import granted
from authbus_service.auth.users.user import User


async def prepare(command: RefreshSession, _: Request, tools: Tools) -> Proof:
    """Find the session's user, whose lock it stands under."""
    return Proof(
        user_id=await tools.owner(command.session_id),
        session_id=command.session_id,
    )


def decide(command: RefreshSession, case: Case) -> Outcome:
    """New tokens for the newest one; an older one ends the session, a guess changes nothing."""
    session = case.rows.session(command.session_id)
    user = case.rows.user(case.proof.user_id)
    token = command.refresh_token.get_secret_value()
    shown = shown_token(session, token)
    if session is None or user is None or not user.is_active or not session.is_live(case.at):
        return refused(Code.INVALID_TOKEN)
    if session.client_id != case.request.client.id or shown is ShownToken.NONE:
        return refused(Code.INVALID_TOKEN)
    if shown is ShownToken.NEWEST:
        return _renewed(case, user, session)
    if shown is ShownToken.PREVIOUS and case.at < session.last_used_at + case.policy.refresh_grace:
        return refused(Code.TOKEN_ROTATED)
    ended = SessionEnded(
        **case.told(user, actor=actors.SERVICE), session_id=session.id, reason=EndReason.TOKEN_REUSE
    )
    return Outcome(Rejected.because(Code.INVALID_TOKEN), (ended,))


def _renewed(case: Case, user: User, session: Session) -> Outcome:
    at, policy = case.at, case.policy
    refreshed = SessionRefreshed(
        **case.told(user),
        session_id=session.id,
        lapses_at=min(at + policy.session_idle, session.expires_at),
    )
    return Outcome(granted(Renewed, case, user, session), (refreshed,))
