"""FindUsers: an administrator looks for accounts, a page at a time."""

from datetime import datetime

from authbus.commands import FindUsers
from authbus.message import Reply
from authbus.replies import Code, Rejected
from authbus.user_pages import found
from authbus_service.auth.administering import administrator
from authbus_service.auth.case import Case
from authbus_service.auth.proof import Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission
from authbus_service.auth.showing import entry
from authbus_service.auth.users.search import Search


async def answer(command: FindUsers, request: Request, tools: Tools, at: datetime) -> Reply:
    """One page, and where the next one begins."""
    proof = tools.administering(command.access_token)
    case = Case(request, proof, await tools.rows(proof), at, tools.policy)
    admin = administrator(case, Permission.USERS_READ)
    if isinstance(admin, Code):
        return Rejected.because(admin)
    search = Search(
        prefix=(command.email_prefix or "").lower(),
        status=command.status,
        after=command.after,
        limit=command.limit,
    )
    users = await tools.lookups.find(search)
    return found(((place, entry(user)) for place, user in users), command.limit)
