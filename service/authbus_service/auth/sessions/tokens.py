"""What the tokens say that are given for a session which goes on."""

from typing import TypeVar

from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Granted
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User

G = TypeVar("G", bound=Granted)


def granted(kind: type[G], case: Case, user: User, session: Session) -> G:
    """An answer of this kind, with the user's roles of now."""
    return kind(
        user_id=user.id,
        session_id=session.id,
        amr=session.amr,
        roles=user.roles,
        permissions=case.policy.roles.in_tokens(user.roles),
        auth_time=session.authenticated_at,
        issued_at=case.at,
        access_token_expires_at=min(
            case.at + case.policy.access_token_lifetime, session.expires_at
        ),
        session_expires_at=session.expires_at,
    )
