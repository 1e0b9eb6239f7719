"""The rules of a session: its start, its end, who may end it."""

import hmac
from datetime import datetime

from authbus.events import SessionEnded, SessionStarted
from authbus.state import SessionRevoked
from authbus_service.auth.outcome import Private
from authbus_service.auth.request import refresh_family
from authbus_service.auth.sessions.rows import Sessions
from authbus_service.auth.sessions.session import Session
from authbus_service.core.security.masters import token_hash


def is_holder(session: Session | None, refresh_token: str) -> bool:
    """Whether this is a refresh token of the session, of today or of before.

    Takes the same time whatever differs.
    """
    held = token_hash("") if session is None else session.family_hash
    given = token_hash(refresh_family(refresh_token))
    return hmac.compare_digest(held, given) and session is not None


def started(event: SessionStarted, private: Private, sessions: Sessions, at: datetime) -> None:
    """Apply SessionStarted: the row is there, with the hash of its refresh token."""
    sessions.add(
        Session(
            id=event.session_id,
            user_id=event.user_id,
            client_id=event.client_id,
            amr=event.amr,
            family_hash=private.family_hash,
            refresh_hash=private.refresh_hash,
            started_at=at,
            last_used_at=at,
            lapses_at=event.lapses_at,
            expires_at=event.expires_at,
            device=private.device,
            ip_address=private.ip_address,
        )
    )


def ended(event: SessionEnded, sessions: Sessions, at: datetime) -> SessionRevoked:
    """Apply SessionEnded; returns what verifiers must know."""
    session = sessions.touch(event.session_id)
    session.ended_at = at
    session.end_reason = event.reason
    return SessionRevoked(session_id=event.session_id, user_id=event.user_id, ended_at=at)
