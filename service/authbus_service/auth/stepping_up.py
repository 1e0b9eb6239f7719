"""Step-up: who has a second factor shows it again before what could take an account away."""

from datetime import datetime, timedelta

from authbus.second_factor import SessionElevated
from authbus.stepping_up import was_shown, with_code
from authbus_service.auth.acting import Actor
from authbus_service.auth.case import Case


def is_fresh(who: Actor, within: timedelta, at: datetime) -> bool:
    """Whether the second factor was shown in this session within that time, where there is one."""
    session = who.session
    shown = was_shown(session.amr, session.authenticated_at, within, at)
    return shown or not who.user.second_factor


def elevated(case: Case, who: Actor) -> SessionElevated:
    """The event that a code was shown in the session; it is the second of its command."""
    amr = with_code(who.session.amr)
    return SessionElevated(**case.told(who.user, 1), session_id=who.session.id, amr=amr)
