"""ExportUser: an administrator gets all that is held of a user, to hand it to them."""

from datetime import datetime

from authbus.commands import ExportUser
from authbus.export_pages import ExportPage, Place
from authbus.message import Reply
from authbus.replies import Code, Rejected
from authbus_service.auth.administering import administered
from authbus_service.auth.case import Case
from authbus_service.auth.proof import Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def answer(command: ExportUser, request: Request, tools: Tools, at: datetime) -> Reply:
    """A page of the rows of the user."""
    proof = tools.administering(command.access_token, user_id=command.user_id)
    case = Case(request, proof, await tools.rows(proof), at, tools.policy)
    found = administered(case, Permission.USERS_EXPORT, command.user_id)
    if isinstance(found, Code):
        return Rejected.because(found)
    page = ExportPage(command.user_id, at)
    await tools.lookups.fill(page, command.user_id, Place.of(command.after))
    return page.reply()
