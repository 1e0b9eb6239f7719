"""Who acts: the user whose access token a command carries inside its seal.

A good signature is no proof by itself: the token's session must be alive under its user's lock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from authbus.ended_sessions import TOKEN_LIFETIME
from authbus_service.auth.rows import Readable
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User


@dataclass(frozen=True, slots=True)
class Acting:
    """What a token of ours says. Whether it may still be used, `actor` tells."""

    user_id: UUID
    session_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """A user who acts by a session that is alive, and the token that says so."""

    user: User
    session: Session
    acting: Acting


def read_token(
    token: str, *, issuer: str, verified: Callable[[str], Mapping[str, Any] | None]
) -> Acting | None:
    """The holder that a token names, or None when we did not sign it. Its time is not judged."""
    claims = verified(token)
    if claims is None or claims.get("iss") != issuer:
        return None
    try:
        if claims["exp"] - claims["iat"] > TOKEN_LIFETIME.total_seconds():
            return None
        return Acting(
            user_id=UUID(claims["sub"]),
            session_id=UUID(claims["sid"]),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return None


def actor(acting: Acting | None, rows: Readable, at: datetime, client: str) -> Actor | None:
    """The user who acts, or None: no token of ours, past its time, or its session is over.

    Nor does a user act by a token that another client shows than the one whose session it is:
    whoever is shown a token to check it is to get nothing for it.
    """
    if acting is None or at >= acting.expires_at:
        return None
    user, session = rows.user(acting.user_id), rows.session(acting.session_id)
    if user is None or session is None or session.user_id != user.id:
        return None
    if session.client_id != client:
        return None
    return Actor(user, session, acting) if user.is_active and session.is_live(at) else None
