"""EraseUser: an administrator erases an account and all that is held of its user."""

from authbus.commands import EraseUser
from authbus.replies import Code
from authbus_service.auth.administering import no_more
from authbus_service.auth.case import Case
from authbus_service.auth.erasing import erased
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def prepare(command: EraseUser, _: Request, tools: Tools) -> Proof:
    """Read the token; the user and all their sessions are loaded under the lock."""
    return tools.administering(command.access_token, user_id=command.user_id, every_session=True)


def decide(command: EraseUser, case: Case) -> Outcome:
    """Erase it, whatever its status."""
    found = no_more(case, Permission.USERS_ERASE, command.user_id, sensitive=True)
    if isinstance(found, Code):
        return refused(found)
    admin, user = found
    return erased(case, user, actor=admin.name)
