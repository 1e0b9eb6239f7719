"""The rules of a session: its start, its end, who may end it."""

import hmac
from datetime import datetime
from enum import Enum, auto

from authbus.events import SessionEnded, SessionRefreshed, SessionStarted
from authbus.second_factor import SessionElevated
from authbus.state import SessionRevoked
from authbus_service.auth.private import Private
from authbus_service.auth.request import refresh_family
from authbus_service.auth.sessions.rows import Sessions
from authbus_service.auth.sessions.session import Session
from authbus_service.core.security.masters import token_hash


class ShownToken(Enum):
    """Which of a session's refresh tokens somebody shows."""

    NONE = auto()
    OLDER = auto()
    PREVIOUS = auto()
    NEWEST = auto()


def shown_token(session: Session | None, refresh_token: str) -> ShownToken:
    """What this token is to the session; takes the same time whatever differs."""
    absent = token_hash("")
    family, newest, previous = (
        (absent, absent, absent)
        if session is None
        else (session.family_hash, session.refresh_hash, session.previous_hash or absent)
    )
    given = token_hash(refresh_token)
    is_family = hmac.compare_digest(family, token_hash(refresh_family(refresh_token)))
    is_newest = hmac.compare_digest(newest, given)
    is_previous = hmac.compare_digest(previous, given)
    if session is None or not is_family:
        return ShownToken.NONE
    if is_newest:
        return ShownToken.NEWEST
    return ShownToken.PREVIOUS if is_previous else ShownToken.OLDER


def is_holder(session: Session | None, refresh_token: str) -> bool:
    """Whether this is a refresh token of the session, of today or of before."""
    return shown_token(session, refresh_token) is not ShownToken.NONE


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
            authenticated_at=at,
            lapses_at=event.lapses_at,
            expires_at=event.expires_at,
            device=private.device,
            ip_address=private.ip_address,
        )
    )


def refreshed(event: SessionRefreshed, private: Private, sessions: Sessions, at: datetime) -> None:
    """Apply SessionRefreshed: another token is good from now on.

    What shows the family brings it back where the start of the session was lost.
    """
    session = sessions.touch(event.session_id)
    session.family_hash = private.family_hash or session.family_hash
    session.previous_hash, session.refresh_hash = session.refresh_hash, private.refresh_hash
    session.last_used_at, session.lapses_at = at, event.lapses_at


def elevated(event: SessionElevated, sessions: Sessions, at: datetime) -> None:
    """Apply SessionElevated: its user has authenticated again."""
    session = sessions.touch(event.session_id)
    session.amr, session.authenticated_at = event.amr, at


def ended(event: SessionEnded, sessions: Sessions, at: datetime) -> SessionRevoked:
    """Apply SessionEnded; returns what verifiers must know."""
    session = sessions.touch(event.session_id)
    session.ended_at = at
    session.end_reason = event.reason
    return SessionRevoked(session_id=event.session_id, user_id=event.user_id, ended_at=at)
