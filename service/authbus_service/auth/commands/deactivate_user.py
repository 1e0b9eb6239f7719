"""DeactivateUser: an administrator shuts an account; its sessions end with it."""

from authbus.commands import DeactivateUser
from authbus.events import DeactivationReason, EndReason, UserDeactivated
from authbus.replies import Code, UserIsDeactivated
from authbus_service.auth.administering import no_more
from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def prepare(command: DeactivateUser, _: Request, tools: Tools) -> Proof:
    """Read the token; the user and all their sessions are loaded under the lock."""
    return tools.administering(command.access_token, user_id=command.user_id, every_session=True)


def decide(command: DeactivateUser, case: Case) -> Outcome:
    """Shut it; one that is shut already is answered the same."""
    found = no_more(case, Permission.USERS_WRITE, command.user_id)
    if isinstance(found, Code):
        return refused(found)
    admin, user = found
    if not user.is_active:
        return Outcome(UserIsDeactivated(user_id=user.id, sessions_ended=0))
    shut = UserDeactivated(
        **case.told(user, actor=admin.name), reason=DeactivationReason(command.reason)
    )
    ended = case.ending(user, EndReason.DEACTIVATED, index=1, actor=admin.name)
    return Outcome(UserIsDeactivated(user_id=user.id, sessions_ended=len(ended)), (shut, *ended))
