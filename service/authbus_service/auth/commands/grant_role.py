"""GrantRole: an administrator gives a user a role."""

from authbus.commands import GrantRole
from authbus.events import RoleGranted
from authbus.replies import Code, UserRoles
from authbus_service.auth.administering import administrator
from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def prepare(command: GrantRole, _: Request, tools: Tools) -> Proof:
    """Read the token."""
    return tools.administering(command.access_token, user_id=command.user_id)


def decide(command: GrantRole, case: Case) -> Outcome:
    """Give it, if it permits no more than who gives it may do themselves."""
    admin = administrator(case, Permission.ROLES_GRANT, sensitive=True)
    if isinstance(admin, Code):
        return refused(admin)
    roles = case.policy.roles
    if command.role not in roles.declared:
        return refused(Code.ROLE_UNKNOWN)
    if not admin.may_give(roles.permissions([command.role])):
        return refused(Code.FORBIDDEN)
    user = case.rows.user(command.user_id)
    if user is None:
        return refused(Code.USER_UNKNOWN)
    if command.role in user.roles:
        return Outcome(UserRoles(user_id=user.id, roles=user.roles))
    granted = RoleGranted(**case.told(user, actor=admin.name), role=command.role)
    held = tuple(sorted({*user.roles, command.role}))
    return Outcome(UserRoles(user_id=user.id, roles=held), (granted,))
