"""A code of a second factor that a command showed: what is told of its use."""

from authbus.second_factor import RecoveryCodeUsed, TotpUsed
from authbus_service.auth.case import Case
from authbus_service.auth.factors.factor import Factor, Passed
from authbus_service.auth.factors.service import recovery_codes_left
from authbus_service.auth.users.user import User


def use_told(case: Case, user: User, factor: Factor, passed: Passed) -> TotpUsed | RecoveryCodeUsed:
    """The event of the use; it is the first of its command."""
    if passed.recovery_hash:
        return RecoveryCodeUsed(**case.told(user), left=recovery_codes_left(factor, passed))
    return TotpUsed(**case.told(user))
