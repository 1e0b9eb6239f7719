"""ExportAccount: a user gets all that is held of them."""

from datetime import datetime

from authbus.commands import ExportAccount
from authbus.message import Reply
from authbus.replies import Code, Rejected, UserExport
from authbus_service.auth.asking import acting_now
from authbus_service.auth.proof import Tools
from authbus_service.auth.request import Request


async def answer(command: ExportAccount, request: Request, tools: Tools, at: datetime) -> Reply:
    """Every row of the token's user."""
    who = await acting_now(command.access_token, request, tools, at)
    if who is None:
        return Rejected.because(Code.INVALID_TOKEN)
    held = await tools.lookups.held(who.user.id)
    return UserExport(user_id=who.user.id, exported_at=at, tables=held)
