"""A second factor that is shown, also once more before what could take an account away."""

from datetime import datetime, timedelta

from authbus.second_factor import RecoveryCodeUsed, SessionElevated, TotpUsed
from authbus.stepping_up import was_shown, with_code
from authbus_service.auth.acting import Actor
from authbus_service.auth.case import Case
from authbus_service.auth.factors.factor import Factor, Passed
from authbus_service.auth.factors.service import recovery_codes_left
from authbus_service.auth.users.user import User


def is_fresh(who: Actor, within: timedelta, at: datetime) -> bool:
    """Whether the second factor was shown in this session within that time, where there is one."""
    session = who.session
    shown = was_shown(session.amr, session.authenticated_at, within, at)
    return shown or not who.user.second_factor


def use_told(case: Case, user: User, factor: Factor, passed: Passed) -> TotpUsed | RecoveryCodeUsed:
    """The event of the use; it is the first of its command."""
    if passed.recovery_hash:
        return RecoveryCodeUsed(**case.told(user), left=recovery_codes_left(factor, passed))
    return TotpUsed(**case.told(user))


def elevated(case: Case, who: Actor) -> SessionElevated:
    """The event that a code was shown in the session; it is the second of its command."""
    amr = with_code(who.session.amr)
    return SessionElevated(**case.told(who.user, 1), session_id=who.session.id, amr=amr)
