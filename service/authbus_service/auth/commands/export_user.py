"""ExportUser: an administrator gets all that is held of a user, to hand it to them."""

from datetime import datetime

from authbus.commands import ExportUser
from authbus.message import Reply
from authbus.replies import Code, Rejected, UserExport
from authbus_service.auth.administering import Evidence, judged
from authbus_service.auth.proof import Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def answer(command: ExportUser, request: Request, tools: Tools, at: datetime) -> Reply:
    """Every row of the user."""
    proof = tools.administering(command.access_token, user_id=command.user_id)
    rows = await tools.rows(proof)
    evidence = Evidence(request.id, proof.acting, proof.operator)
    admin = judged(evidence, Permission.USERS_EXPORT, rows, at, tools.policy.roles)
    if isinstance(admin, Code):
        return Rejected.because(admin)
    if rows.user(command.user_id) is None:
        return Rejected.because(Code.USER_UNKNOWN)
    held = await tools.lookups.held(command.user_id)
    return UserExport(user_id=command.user_id, exported_at=at, tables=held)
