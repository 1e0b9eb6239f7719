"""ExportUser: an administrator gets all that is held of a user, to hand it to them."""

from datetime import datetime

from authbus.commands import ExportUser
from authbus.message import Reply
from authbus.replies import Code, Rejected, UserExport
from authbus_service.auth.administering import administered
from authbus_service.auth.case import Case
from authbus_service.auth.proof import Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def answer(command: ExportUser, request: Request, tools: Tools, at: datetime) -> Reply:
    """Every row of the user."""
    proof = tools.administering(command.access_token, user_id=command.user_id)
    case = Case(request, proof, await tools.rows(proof), at, tools.policy)
    found = administered(case, Permission.USERS_EXPORT, command.user_id)
    if isinstance(found, Code):
        return Rejected.because(found)
    held = await tools.lookups.held(command.user_id)
    return UserExport(user_id=command.user_id, exported_at=at, tables=held)
