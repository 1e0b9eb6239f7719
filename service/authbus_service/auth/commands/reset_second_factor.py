"""ResetSecondFactor: an administrator takes a lost second factor from a user."""

from authbus.replies import Code
from authbus.second_factor import (
    FactorEndReason,
    ResetSecondFactor,
    SecondFactorIsReset,
    TotpDisabled,
)
from authbus_service.auth.administering import no_more
from authbus_service.auth.case import Case
from authbus_service.auth.mails import Template
from authbus_service.auth.notices import notice
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def prepare(command: ResetSecondFactor, _: Request, tools: Tools) -> Proof:
    """Read the token."""
    return tools.administering(command.access_token, user_id=command.user_id)


def decide(command: ResetSecondFactor, case: Case) -> Outcome:
    """It is gone, if its user may do no more than the administrator, who may else gain rights."""
    found = no_more(case, Permission.USERS_WRITE, command.user_id, sensitive=True)
    if isinstance(found, Code):
        return refused(found)
    admin, user = found
    done = SecondFactorIsReset(user_id=user.id)
    if not user.second_factor:
        return Outcome(done)
    disabled = TotpDisabled(**case.told(user, actor=admin.name), reason=FactorEndReason.ADMIN)
    return Outcome(done, (disabled,), mails=notice(user, Template.SECOND_FACTOR_OFF))
