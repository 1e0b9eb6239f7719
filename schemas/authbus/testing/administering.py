"""What administrators do about users."""

from authbus.admin_commands import (
    DeactivateUser,
    EndUserSessions,
    EraseUser,
    ForcePasswordReset,
    ReactivateUser,
    UnlockUser,
)
from authbus.events import (
    DeactivationReason,
    EndReason,
    PasswordResetForced,
    UnlockReason,
    UserDeactivated,
    UserReactivated,
)
from authbus.password_replies import PasswordIsVoid
from authbus.replies import (
    AllSessionsEnded,
    Code,
    UserIsActive,
    UserIsDeactivated,
    UserIsErased,
    UserIsUnlocked,
)
from authbus.state import UserKind, UserStatus
from authbus.testing import codes, guessing, mailing
from authbus.testing.credentials import erased
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.testing.permitting import administrator, named, refuse_more
from authbus.testing.rows import Account

AnyOfUser = DeactivateUser | ReactivateUser | UnlockUser | EraseUser | ForcePasswordReset


def _both(
    memory: Memory, command: AnyOfUser, ask: Ask, permission: str, *, sensitive: bool = False
) -> tuple[str, Account]:
    """Who asks, and about whom, who may do no more."""
    admin = administrator(memory, command.access_token, ask, permission, sensitive=sensitive)
    user = named(memory, command.user_id)
    refuse_more(memory, admin, memory.permissions(user))
    return f"admin:{admin.id}", user


def deactivate(memory: Memory, command: DeactivateUser, ask: Ask) -> UserIsDeactivated:
    """An account is shut; its sessions end with it."""
    actor, user = _both(memory, command, ask, "users:write")
    if not user.is_active:
        return UserIsDeactivated(user_id=user.id, sessions_ended=0)
    user.status = UserStatus.DEACTIVATED
    reason = DeactivationReason(command.reason)
    memory.tell(user, UserDeactivated, ask.id, actor=actor, reason=reason)
    ended = memory.end_all(user, ask.id, EndReason.DEACTIVATED, actor=actor)
    return UserIsDeactivated(user_id=user.id, sessions_ended=ended)


def reactivate(memory: Memory, command: ReactivateUser, ask: Ask) -> UserIsActive:
    """It is opened again."""
    actor, user = _both(memory, command, ask, "users:write")
    if not user.is_active:
        user.status = UserStatus.ACTIVE
        memory.tell(user, UserReactivated, ask.id, actor=actor)
    return UserIsActive(user_id=user.id)


def unlock(memory: Memory, command: UnlockUser, ask: Ask) -> UserIsUnlocked:
    """A lock is over, and all that was guessed wrong is forgotten."""
    actor, user = _both(memory, command, ask, "users:write")
    for key in guessing.keys(user):
        guessing.clear(memory, key)
    if user.locked_until is not None:
        guessing.unlock(memory, user, ask.id, UnlockReason.ADMIN, actor=actor)
    return UserIsUnlocked(user_id=user.id)


def force_reset(memory: Memory, command: ForcePasswordReset, ask: Ask) -> PasswordIsVoid:
    """No password is right any more; a mail says how to set another."""
    actor, user = _both(memory, command, ask, "users:write")
    if user.kind == UserKind.SERVICE:
        raise Refusal(Code.USER_UNKNOWN)
    user.take_password(None)
    codes.spend_with_password(memory, user)
    memory.tell(user, PasswordResetForced, ask.id, actor=actor)
    ended = memory.end_all(user, ask.id, EndReason.ADMIN, actor=actor)
    if user.is_active:
        mailing.send(memory, user, "force_reset", ask.id)
    return PasswordIsVoid(user_id=user.id, sessions_ended=ended)


def erase(memory: Memory, command: EraseUser, ask: Ask) -> UserIsErased:
    """The user is gone."""
    actor, user = _both(memory, command, ask, "users:erase", sensitive=True)
    return erased(memory, user, ask, actor=actor)


def end_sessions(memory: Memory, command: EndUserSessions, ask: Ask) -> AllSessionsEnded:
    """All sessions of a user, or one of them."""
    admin = administrator(memory, command.access_token, ask, "users:write")
    actor = f"admin:{admin.id}"
    if command.session_id is None:
        user = named(memory, command.user_id)
        return AllSessionsEnded(count=memory.end_all(user, ask.id, EndReason.ADMIN, actor=actor))
    if command.user_id is not None:
        named(memory, command.user_id)
    session = memory.sessions.get(command.session_id)
    if session is None or not session.is_live(memory.now):
        raise Refusal(Code.SESSION_UNKNOWN)
    if command.user_id not in {None, session.user_id}:
        raise Refusal(Code.SESSION_UNKNOWN)
    memory.end(session, ask.id, EndReason.ADMIN, actor=actor)
    return AllSessionsEnded(count=1)
