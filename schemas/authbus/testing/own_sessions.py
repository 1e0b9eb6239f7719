"""Sessions: refreshed, listed and ended by their users."""

from pydantic import SecretStr

from authbus.commands import EndAllSessions, EndSession, ListSessions, LogOut, RefreshSession
from authbus.events import EndReason, SessionRefreshed
from authbus.replies import (
    AllSessionsEnded,
    Code,
    LoggedOut,
    Refreshed,
    SessionIsEnded,
    SessionList,
)
from authbus.session_pages import listed
from authbus.testing.acting import acting, granted
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.testing.rows import Held, derived_secret


def refresh(memory: Memory, command: RefreshSession, ask: Ask) -> Refreshed:
    """New tokens for the newest refresh token; an older one ends the session."""
    session = memory.sessions.get(command.session_id)
    if session is None or not session.is_live(memory.now) or session.client_id != ask.client_id:
        raise Refusal(Code.INVALID_TOKEN)
    user, tokens = memory.users[session.user_id], session.tokens
    shown = command.refresh_token.get_secret_value()
    if not user.is_active or shown not in tokens:
        raise Refusal(Code.INVALID_TOKEN)
    if shown != tokens[-1]:
        since = (memory.now - session.last_used_at).total_seconds()
        if shown == tokens[-2] and since < memory.settings.refresh_grace_seconds:
            raise Refusal(Code.TOKEN_ROTATED)
        memory.end(session, ask.id, EndReason.TOKEN_REUSE, actor="service")
        raise Refusal(Code.INVALID_TOKEN)
    tokens.append(derived_secret("refresh", ask.id, shown))
    session.last_used_at = memory.now
    session.lapses_at = min(memory.now + memory.settings.idle, session.expires_at)
    lapses_at = session.lapses_at
    memory.tell(user, SessionRefreshed, ask.id, session_id=session.id, lapses_at=lapses_at)
    return Refreshed.model_validate(granted(memory, user, session, ask))


def log_out(memory: Memory, command: LogOut, ask: Ask) -> LoggedOut:
    """The holder of a refresh token, of today or of before, ends its session."""
    session = memory.sessions.get(command.session_id)
    if session is None or not _holds(session, command.refresh_token):
        raise Refusal(Code.INVALID_TOKEN)
    if session.ended_at is None:
        memory.end(session, ask.id, EndReason.LOGOUT)
    return LoggedOut(session_id=session.id)


def _holds(session: Held, token: SecretStr) -> bool:
    return token.get_secret_value() in session.tokens


def list_sessions(memory: Memory, command: ListSessions, ask: Ask) -> SessionList:
    """A page of the live ones, oldest first."""
    user, current = acting(memory, command.access_token, ask)
    live = memory.live(user)
    return listed((each.entry(is_current=each.id == current.id) for each in live), command.after)


def end_session(memory: Memory, command: EndSession, ask: Ask) -> SessionIsEnded:
    """One of the user's own."""
    user, _ = acting(memory, command.access_token, ask)
    session = memory.sessions.get(command.session_id)
    if session is None or session.user_id != user.id:
        raise Refusal(Code.SESSION_UNKNOWN)
    if session.is_live(memory.now):
        memory.end(session, ask.id, EndReason.REVOKED)
    return SessionIsEnded(session_id=session.id)


def end_all(memory: Memory, command: EndAllSessions, ask: Ask) -> AllSessionsEnded:
    """All others, or this one too."""
    user, session = acting(memory, command.access_token, ask)
    kept = None if command.this_one_too else session.id
    return AllSessionsEnded(count=memory.end_all(user, ask.id, EndReason.REVOKED, but=kept))
