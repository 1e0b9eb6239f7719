"""RevokeRole: an administrator takes a role from a user."""

from authbus.commands import RevokeRole
from authbus.events import RoleRevoked
from authbus.replies import Code, UserRoles
from authbus_service.auth.administering import administrator
from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def prepare(command: RevokeRole, _: Request, tools: Tools) -> Proof:
    """Read the token."""
    return tools.administering(command.access_token, user_id=command.user_id)


def decide(command: RevokeRole, case: Case) -> Outcome:
    """Take it, also one that is declared no longer, but none that permits more than one's own."""
    admin = administrator(case, Permission.ROLES_GRANT, sensitive=True)
    if isinstance(admin, Code):
        return refused(admin)
    if not admin.may_give(case.policy.roles.permissions([command.role])):
        return refused(Code.FORBIDDEN)
    user = case.rows.user(command.user_id)
    if user is None:
        return refused(Code.USER_UNKNOWN)
    left = tuple(role for role in user.roles if role != command.role)
    answer = UserRoles(user_id=user.id, roles=left)
    if left == user.roles:
        return Outcome(answer)
    revoked = RoleRevoked(**case.told(user, actor=admin.name), role=command.role)
    return Outcome(answer, (revoked,))
