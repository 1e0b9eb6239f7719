"""ReactivateUser: an administrator opens a deactivated account again."""

from authbus.commands import ReactivateUser
from authbus.events import UserReactivated
from authbus.replies import Code, UserIsActive
from authbus_service.auth.administering import no_more
from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def prepare(command: ReactivateUser, _: Request, tools: Tools) -> Proof:
    """Read the token."""
    return tools.administering(command.access_token, user_id=command.user_id)


def decide(command: ReactivateUser, case: Case) -> Outcome:
    """Open it, if its user may do no more than the administrator, who else may gain rights.

    One that is open is answered the same.
    """
    found = no_more(case, Permission.USERS_WRITE, command.user_id)
    if isinstance(found, Code):
        return refused(found)
    admin, user = found
    answer = UserIsActive(user_id=user.id)
    if user.is_active:
        return Outcome(answer)
    return Outcome(answer, (UserReactivated(**case.told(user, actor=admin.name)),))
