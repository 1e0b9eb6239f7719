"""Sessions that nobody ends: one is over when it is not refreshed in time, or after its whole life.

Nobody asks for these events, so they have no command: their ids follow from the session and the
time at which it was over, whoever finds that out.
"""

from datetime import datetime

from authbus.events import EndReason, SessionEnded
from authbus_service.auth import actors
from authbus_service.auth.request import Derived
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User
from authbus_service.core.security.masters import Masters


def cause(session: Session, masters: Masters) -> Derived:
    """What stands in a command's place."""
    over_at = session.lapses_at.isoformat().encode()
    cause_id = masters.lapse_id(session.id, over_at)
    return Derived(masters, masters.current, cause_id, over_at)


def lapsed(session: Session, user: User, cause: Derived, at: datetime) -> SessionEnded | None:
    """The event that ends it; None when it has ended, or has been refreshed meanwhile."""
    if session.ended_at is not None or at < session.lapses_at:
        return None
    at_its_end = session.lapses_at >= session.expires_at
    return SessionEnded(
        user_id=user.id,
        sequence=user.sequence + 1,
        actor=actors.SERVICE,
        causation_id=cause.command_id,
        session_id=session.id,
        reason=EndReason.EXPIRED if at_its_end else EndReason.IDLE,
    )
