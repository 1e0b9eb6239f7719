"""GetUser: an administrator looks at one account."""

from datetime import datetime

from authbus.commands import GetUser
from authbus.message import Reply
from authbus.replies import Code, Rejected
from authbus.session_pages import MOST_OVER, details
from authbus_service.auth.administering import administered
from authbus_service.auth.case import Case
from authbus_service.auth.proof import Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission
from authbus_service.auth.showing import entry, session_entry


async def answer(command: GetUser, request: Request, tools: Tools, at: datetime) -> Reply:
    """The account with a page of its sessions: also of those that are over, when asked for."""
    proof = tools.administering(command.access_token, user_id=command.user_id, every_session=True)
    case = Case(request, proof, await tools.rows(proof), at, tools.policy)
    found = administered(case, Permission.USERS_READ, command.user_id)
    if isinstance(found, Code):
        return Rejected.because(found)
    _, user = found
    live = case.rows.sessions_of(user.id, at)
    over = await tools.lookups.over(user.id, MOST_OVER) if command.ended_sessions else []
    known = {each.id for each in live}
    shown = [*live, *(each for each in over if each.id not in known)]
    return details(entry(user), user.sequence, map(session_entry, shown), command.after)
