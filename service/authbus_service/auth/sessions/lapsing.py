"""Sessions that the service ends: in time when they are not refreshed, or after their whole life.

Nobody asks for these events, so they have no command: their ids follow from the session and from
why it ends, for example the time at which it was over, whoever finds that out.
"""

from datetime import datetime

from authbus.events import EndReason, SessionEnded
from authbus_service.auth import actors
from authbus_service.auth.request import Derived
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User
from authbus_service.core.security.masters import Masters

# What stands in a command's place, and the event.
Unasked = tuple[Derived, SessionEnded]


def lapsed(masters: Masters, session: Session, user: User, at: datetime) -> Unasked | None:
    """What ends it in time; None when it has ended, or has been refreshed meanwhile."""
    if session.ended_at is not None or at < session.lapses_at:
        return None
    at_its_end = session.lapses_at >= session.expires_at
    reason = EndReason.EXPIRED if at_its_end else EndReason.IDLE
    return unasked(masters, session, user, session.lapses_at.isoformat().encode(), reason)


def unasked(
    masters: Masters, session: Session, user: User, why: bytes, reason: EndReason
) -> Unasked:
    """What ends it for this reason, as the user's next event."""
    by = Derived(masters, masters.current, masters.lapse_id(session.id, why), why)
    ended = SessionEnded(
        user_id=user.id,
        sequence=user.sequence + 1,
        actor=actors.SERVICE,
        causation_id=by.command_id,
        session_id=session.id,
        reason=reason,
    )
    return by, ended
