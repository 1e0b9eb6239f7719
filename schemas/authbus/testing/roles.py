"""Roles, given and taken by administrators."""

from authbus.admin_commands import GrantRole, RevokeRole
from authbus.events import RoleGranted, RoleRevoked
from authbus.replies import Code, UserRoles
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.testing.permitting import administrator, named, refuse_more


def grant_role(memory: Memory, command: GrantRole, ask: Ask) -> UserRoles:
    """A role that permits no more than who gives it may do."""
    admin = administrator(memory, command.access_token, ask, "roles:grant", sensitive=True)
    if command.role not in memory.roles:
        raise Refusal(Code.ROLE_UNKNOWN)
    refuse_more(memory, admin, memory.roles[command.role])
    user = named(memory, command.user_id)
    if command.role not in user.roles:
        user.roles = tuple(sorted({*user.roles, command.role}))
        memory.tell(user, RoleGranted, ask.id, actor=f"admin:{admin.id}", role=command.role)
    return UserRoles(user_id=user.id, roles=user.roles)


def revoke_role(memory: Memory, command: RevokeRole, ask: Ask) -> UserRoles:
    """A role is taken away, also one that is declared no longer."""
    admin = administrator(memory, command.access_token, ask, "roles:grant", sensitive=True)
    refuse_more(memory, admin, memory.roles.get(command.role, frozenset()))
    user = named(memory, command.user_id)
    if command.role in user.roles:
        user.roles = tuple(each for each in user.roles if each != command.role)
        memory.tell(user, RoleRevoked, ask.id, actor=f"admin:{admin.id}", role=command.role)
    return UserRoles(user_id=user.id, roles=user.roles)
