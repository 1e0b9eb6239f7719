"""GetUser: an administrator looks at one account."""

from collections.abc import Sequence
from datetime import datetime

from authbus.commands import GetUser
from authbus.message import Reply
from authbus.replies import Code, Rejected
from authbus_service.auth.administering import Evidence, judged
from authbus_service.auth.proof import Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.showing import details
from authbus_service.auth.users.user import User

_NEWEST = 20
# Sealed, a third more, and below what a record may hold.
_MOST_BYTES = 47_000


async def answer(command: GetUser, request: Request, tools: Tools, at: datetime) -> Reply:
    """The account with its live sessions, and those that are over where they are asked for."""
    proof = tools.administering(command.access_token, user_id=command.user_id, every_session=True)
    rows = await tools.rows(proof)
    evidence = Evidence(request.id, proof.acting, proof.operator)
    admin = judged(evidence, Permission.USERS_READ, rows, at, tools.policy.roles)
    if isinstance(admin, Code):
        return Rejected.because(admin)
    user = rows.user(command.user_id)
    if user is None:
        return Rejected.because(Code.USER_UNKNOWN)
    live = rows.sessions_of(user.id, at)
    over = await tools.lookups.over(user.id, _NEWEST) if command.ended_sessions else []
    known = {each.id for each in live}
    return _fitting(user, live, [each for each in over if each.id not in known])


def _fitting(user: User, live: Sequence[Session], over: Sequence[Session]) -> Reply:
    """As many of those that are over, the newest first, as one record takes."""
    for count in range(len(over), 0, -1):
        shown = details(user, [*over[:count], *live])
        if len(shown.model_dump_json(exclude_none=True).encode()) <= _MOST_BYTES:
            return shown
    return details(user, live)
