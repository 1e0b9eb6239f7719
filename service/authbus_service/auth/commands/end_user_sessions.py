"""EndUserSessions: an administrator ends a user's sessions, or one of them."""

from authbus.commands import EndUserSessions
from authbus.events import EndReason, SessionEnded
from authbus.replies import AllSessionsEnded, Code
from authbus_service.auth.administering import administrator
from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def prepare(command: EndUserSessions, _: Request, tools: Tools) -> Proof:
    """Read the token; the user and all their live sessions are loaded under the lock."""
    user_id = command.user_id
    if user_id is None and command.session_id is not None:
        user_id = await tools.owner(command.session_id)
    return tools.administering(command.access_token, user_id=user_id, every_session=True)


def decide(command: EndUserSessions, case: Case) -> Outcome:
    """An event for each session that ends; one that is over or never was is `session_unknown`.

    Whatever the user may do: nobody gains rights by it or is kept out, and it is what a helper can
    do at once about an administrator's session that was stolen.
    """
    admin = administrator(case, Permission.USERS_WRITE)
    if isinstance(admin, Code):
        return refused(admin)
    user_id = command.user_id or case.proof.user_id
    user = None if user_id is None else case.rows.user(user_id)
    if command.session_id is None:
        if user is None:
            return refused(Code.USER_UNKNOWN)
        events = case.ending(user, EndReason.ADMIN, actor=admin.name)
        return Outcome(AllSessionsEnded(count=len(events)), events)
    if user is None:
        return refused(Code.SESSION_UNKNOWN if command.user_id is None else Code.USER_UNKNOWN)
    session = case.rows.session(command.session_id)
    if session is None or session.user_id != user.id or not session.is_live(case.at):
        return refused(Code.SESSION_UNKNOWN)
    told = case.told(user, actor=admin.name)
    ended = SessionEnded(**told, session_id=session.id, reason=EndReason.ADMIN)
    return Outcome(AllSessionsEnded(count=1), (ended,))
