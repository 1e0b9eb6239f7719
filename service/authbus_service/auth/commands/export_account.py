"""ExportAccount: a user gets all that is held of them."""

from datetime import datetime

from authbus.commands import ExportAccount
from authbus.message import Reply
from authbus.replies import Code, Rejected, UserExport
from authbus_service.auth.acting import actor
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request


async def answer(command: ExportAccount, _: Request, tools: Tools, at: datetime) -> Reply:
    """Every row of the token's user."""
    acting = tools.token(command.access_token.get_secret_value())
    who = None if acting is None else actor(acting, await tools.rows(Proof(acting=acting)), at)
    if who is None:
        return Rejected.because(Code.INVALID_TOKEN)
    held = await tools.lookups.held(who.user.id)
    return UserExport(user_id=who.user.id, exported_at=at, tables=held)
