"""What the tokens say that are given for a session."""

from datetime import datetime
from typing import Any, TypeVar

from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Granted
from authbus_service.auth.proof import Policy
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User

G = TypeVar("G", bound=Granted)


def granted(kind: type[G], case: Case, user: User, session: Session) -> G:
    """An answer of this kind, with the user's roles of now, for a session that goes on."""
    return kind(
        user_id=user.id,
        session_id=session.id,
        amr=session.amr,
        auth_time=session.authenticated_at,
        **terms(case.policy, user.roles, case.at, session.expires_at),
    )


def terms(
    policy: Policy, roles: tuple[str, ...], at: datetime, expires_at: datetime
) -> dict[str, Any]:
    """What tokens given at this time permit, and until when: no longer than their session."""
    return {
        "roles": policy.roles.known(roles),
        "permissions": policy.roles.in_tokens(roles),
        "issued_at": at,
        "access_token_expires_at": min(at + policy.access_token_lifetime, expires_at),
        "session_expires_at": expires_at,
    }
