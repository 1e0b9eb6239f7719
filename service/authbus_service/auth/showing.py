"""What is shown of accounts and sessions: no secret, and no hash of one."""

from authbus.events import EndReason
from authbus.replies import SessionEntry, UserEntry
from authbus.state import UserStatus
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User


def entry(user: User) -> UserEntry:
    """One line of a list."""
    return UserEntry(
        user_id=user.id,
        kind=user.kind,
        email=user.email or None,
        email_verified=user.email_verified,
        second_factor=user.second_factor,
        status=UserStatus(user.status),
        roles=user.roles,
        created_at=user.created_at,
    )


def session_entry(session: Session, *, is_current: bool = False) -> SessionEntry:
    """One line of a list of sessions."""
    return SessionEntry(
        session_id=session.id,
        client_id=session.client_id,
        amr=session.amr,
        started_at=session.started_at,
        last_used_at=session.last_used_at,
        lapses_at=session.lapses_at,
        expires_at=session.expires_at,
        device=session.device,
        ip_address=session.ip_address,
        is_current=is_current,
        ended_at=session.ended_at,
        end_reason=None if session.end_reason is None else EndReason(session.end_reason),
    )
