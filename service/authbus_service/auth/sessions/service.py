"""The rules of a session: its start, its end, who may end it."""

import hmac
from datetime import datetime

from authbus.events import SessionEnded, SessionStarted
from authbus.state import SessionRevoked
from authbus_service.auth.outcome import Private
from authbus_service.auth.sessions.rows import Sessions
from authbus_service.auth.sessions.session import Session
from authbus_service.core.security.masters import token_hash


def is_holder(session: Session | None, refresh_token: str) -> bool:
    """Whether this is the session's refresh token; takes the same time whatever differs."""
    held = token_hash("") if session is None else session.refresh_hash
    return hmac.compare_digest(held, token_hash(refresh_token)) and session is not None


def started(event: SessionStarted, private: Private, sessions: Sessions, at: datetime) -> None:
    """Apply SessionStarted: the row is there, with the hash of its refresh token."""
    sessions.add(
        Session(
            id=event.session_id,
            user_id=event.user_id,
            client_id=event.client_id,
            amr=event.amr,
            refresh_hash=private.refresh_hash,
            refresh_generation=1,
            started_at=at,
            expires_at=event.expires_at,
        )
    )


def ended(event: SessionEnded, sessions: Sessions, at: datetime) -> SessionRevoked:
    """Apply SessionEnded; returns what verifiers must know."""
    session = sessions.touch(event.session_id)
    session.ended_at = at
    session.end_reason = event.reason
    return SessionRevoked(session_id=event.session_id, user_id=event.user_id, ended_at=at)
