"""What administrators do about users."""

from pydantic import SecretStr

from authbus.admin_commands import (
    DeactivateUser,
    EndUserSessions,
    EraseUser,
    GrantRole,
    ReactivateUser,
    RevokeRole,
    UnlockUser,
)
from authbus.events import (
    DeactivationReason,
    EndReason,
    RoleGranted,
    RoleRevoked,
    UnlockReason,
    UserDeactivated,
    UserReactivated,
)
from authbus.replies import (
    AllSessionsEnded,
    Code,
    UserIsActive,
    UserIsDeactivated,
    UserIsErased,
    UserIsUnlocked,
    UserRoles,
)
from authbus.state import UserStatus
from authbus.testing import guessing
from authbus.testing.acting import acting
from authbus.testing.credentials import erased
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.testing.rows import Account

# What the service's own role `admin` permits.
ADMIN = frozenset(
    {
        "users:read",
        "users:write",
        "users:import",
        "users:export",
        "users:erase",
        "roles:grant",
        "roles:grant-any",
        "services:write",
    }
)
AnyOfUser = DeactivateUser | ReactivateUser | UnlockUser | EraseUser | GrantRole | RevokeRole


def administrator(memory: Memory, token: SecretStr, permission: str) -> Account:
    """Who asks, if one of their roles permits it."""
    user, _ = acting(memory, token)
    if permission not in memory.permissions(user):
        raise Refusal(Code.FORBIDDEN)
    return user


def _both(memory: Memory, command: AnyOfUser, permission: str) -> tuple[str, Account]:
    admin = administrator(memory, command.access_token, permission)
    return f"admin:{admin.id}", _user(memory, command)


def _user(memory: Memory, command: AnyOfUser | EndUserSessions) -> Account:
    user = None if command.user_id is None else memory.users.get(command.user_id)
    if user is None:
        raise Refusal(Code.USER_UNKNOWN)
    return user


def deactivate(memory: Memory, command: DeactivateUser, ask: Ask) -> UserIsDeactivated:
    """An account is shut; its sessions end with it."""
    actor, user = _both(memory, command, "users:write")
    if not user.is_active:
        return UserIsDeactivated(user_id=user.id, sessions_ended=0)
    user.status = UserStatus.DEACTIVATED
    reason = DeactivationReason(command.reason)
    memory.tell(user, UserDeactivated, ask.id, actor=actor, reason=reason)
    ended = memory.end_all(user, ask.id, EndReason.DEACTIVATED, actor=actor)
    return UserIsDeactivated(user_id=user.id, sessions_ended=ended)


def reactivate(memory: Memory, command: ReactivateUser, ask: Ask) -> UserIsActive:
    """It is opened again."""
    actor, user = _both(memory, command, "users:write")
    if not user.is_active:
        user.status = UserStatus.ACTIVE
        memory.tell(user, UserReactivated, ask.id, actor=actor)
    return UserIsActive(user_id=user.id)


def unlock(memory: Memory, command: UnlockUser, ask: Ask) -> UserIsUnlocked:
    """A lock is over."""
    actor, user = _both(memory, command, "users:write")
    if user.locked_until is not None:
        guessing.unlock(memory, user, ask.id, UnlockReason.ADMIN, actor=actor)
    return UserIsUnlocked(user_id=user.id)


def erase(memory: Memory, command: EraseUser, ask: Ask) -> UserIsErased:
    """The user is gone."""
    actor, user = _both(memory, command, "users:erase")
    return erased(memory, user, ask, actor=actor)


def end_sessions(memory: Memory, command: EndUserSessions, ask: Ask) -> AllSessionsEnded:
    """All sessions of a user, or one of them."""
    admin = administrator(memory, command.access_token, "users:write")
    actor = f"admin:{admin.id}"
    if command.session_id is None:
        user = _user(memory, command)
        return AllSessionsEnded(count=memory.end_all(user, ask.id, EndReason.ADMIN, actor=actor))
    if command.user_id is not None:
        _user(memory, command)
    session = memory.sessions.get(command.session_id)
    if session is None or not session.is_live(memory.now):
        raise Refusal(Code.SESSION_UNKNOWN)
    if command.user_id not in {None, session.user_id}:
        raise Refusal(Code.SESSION_UNKNOWN)
    memory.end(session, ask.id, EndReason.ADMIN, actor=actor)
    return AllSessionsEnded(count=1)


def grant_role(memory: Memory, command: GrantRole, ask: Ask) -> UserRoles:
    """A role that permits no more than who gives it may do."""
    admin = administrator(memory, command.access_token, "roles:grant")
    if command.role not in memory.roles:
        raise Refusal(Code.ROLE_UNKNOWN)
    _may_give(memory, admin, command.role)
    user = _user(memory, command)
    if command.role not in user.roles:
        user.roles = tuple(sorted({*user.roles, command.role}))
        memory.tell(user, RoleGranted, ask.id, actor=f"admin:{admin.id}", role=command.role)
    return UserRoles(user_id=user.id, roles=user.roles)


def revoke_role(memory: Memory, command: RevokeRole, ask: Ask) -> UserRoles:
    """A role is taken away."""
    admin = administrator(memory, command.access_token, "roles:grant")
    _may_give(memory, admin, command.role)
    user = _user(memory, command)
    if command.role in user.roles:
        user.roles = tuple(each for each in user.roles if each != command.role)
        memory.tell(user, RoleRevoked, ask.id, actor=f"admin:{admin.id}", role=command.role)
    return UserRoles(user_id=user.id, roles=user.roles)


def _may_give(memory: Memory, admin: Account, role: str) -> None:
    held = memory.permissions(admin)
    if "roles:grant-any" not in held and not memory.roles.get(role, frozenset()) <= held:
        raise Refusal(Code.FORBIDDEN)
