"""ExportAccount: a user gets all that is held of them, a page at a time."""

from datetime import datetime

from authbus.commands import ExportAccount
from authbus.export_pages import ExportPage, Place
from authbus.message import Reply
from authbus.replies import Code, Rejected
from authbus_service.auth.asking import acting_now
from authbus_service.auth.proof import Tools
from authbus_service.auth.request import Request


async def answer(command: ExportAccount, request: Request, tools: Tools, at: datetime) -> Reply:
    """A page of the rows of the token's user."""
    who = await acting_now(command.access_token, request, tools, at)
    if who is None:
        return Rejected.because(Code.INVALID_TOKEN)
    page = ExportPage(who.user.id, at)
    await tools.lookups.fill(page, who.user.id, Place.of(command.after))
    return page.reply()
