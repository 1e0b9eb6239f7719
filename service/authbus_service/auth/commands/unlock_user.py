"""UnlockUser: an administrator ends a lock that guesses brought."""

from authbus.commands import UnlockUser
from authbus.events import UnlockReason, UserUnlocked
from authbus.replies import Code, UserIsUnlocked
from authbus_service.auth.administering import no_more
from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def prepare(command: UnlockUser, _: Request, tools: Tools) -> Proof:
    """Read the token."""
    return tools.administering(command.access_token, user_id=command.user_id)


def decide(command: UnlockUser, case: Case) -> Outcome:
    """Unlock it, and forget its wrong guesses; one that is not locked is answered the same."""
    found = no_more(case, Permission.USERS_WRITE, command.user_id)
    if isinstance(found, Code):
        return refused(found)
    admin, user = found
    answer = UserIsUnlocked(user_id=user.id)
    if user.locked_until is None:
        return Outcome(answer)
    unlocked = UserUnlocked(**case.told(user, actor=admin.name), reason=UnlockReason.ADMIN)
    return Outcome(answer, (unlocked,))
