"""ListSessions: a user sees where they are logged in."""

from datetime import datetime

from authbus.commands import ListSessions
from authbus.message import Reply
from authbus.replies import Code, Rejected
from authbus.session_pages import listed
from authbus_service.auth.acting import actor
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.showing import session_entry


async def answer(command: ListSessions, request: Request, tools: Tools, at: datetime) -> Reply:
    """A page of the live sessions of the token's user, oldest first."""
    acting = tools.token(command.access_token.get_secret_value())
    if acting is None:
        return Rejected.because(Code.INVALID_TOKEN)
    rows = await tools.rows(Proof(acting=acting, user_id=acting.user_id, every_session=True))
    who = actor(acting, rows, at, request.client.id)
    if who is None:
        return Rejected.because(Code.INVALID_TOKEN)
    found = rows.sessions_of(who.user.id, at)
    shown = (session_entry(each, is_current=each.id == who.session.id) for each in found)
    return listed(shown, command.after)
