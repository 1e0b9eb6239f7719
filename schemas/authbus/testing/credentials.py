"""Accounts and their passwords: register, change, reset and erase."""

from authbus.addresses import canonical
from authbus.commands import (
    ChangePassword,
    CompletePasswordReset,
    EraseAccount,
    RegisterUser,
    RequestPasswordReset,
)
from authbus.events import (
    EmailVerified,
    EndReason,
    PasswordChanged,
    PasswordReason,
    PasswordResetRequested,
    UnlockReason,
    UserCreated,
)
from authbus.password_replies import PasswordIsChanged, ResetIsRequested
from authbus.replies import Code, Registered, UserIsErased
from authbus.second_factor import FactorEndReason
from authbus.testing import codes, factors, guessing, mailing
from authbus.testing.acting import acting_afresh
from authbus.testing.judging import judge, normalised
from authbus.testing.logging_in import at
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.testing.rows import LIFETIMES, Account, Guess, derived_id
from authbus.topics import COMMANDS_KEPT

_RESET = "reset_password"


def register(memory: Memory, command: RegisterUser, ask: Ask) -> Registered:
    """An account for a free address, and a mail to it."""
    address = canonical(command.email)
    if address is None:
        raise Refusal(Code.EMAIL_INVALID)
    password = _acceptable(memory, command.password.get_secret_value(), address)
    guessing.count_registration(memory, command.ip_address)
    if address in memory.addresses:
        raise Refusal(Code.EMAIL_TAKEN)
    user = Account(derived_id("user", ask.id), command.email, memory.now, password)
    memory.users[user.id], memory.addresses[address] = user, user.id
    memory.tell(user, UserCreated, ask.id)
    if guessing.count_mail(memory, address):
        mailing.send(memory, user, "verify_email", ask.id)
    else:
        codes.make(memory, user, "verify_email", ask.id, user.email)
    return Registered(user_id=user.id)


def change_password(memory: Memory, command: ChangePassword, ask: Ask) -> PasswordIsChanged:
    """A new password; all other sessions end."""
    user, session = acting_afresh(memory, command.access_token, ask)
    password = _acceptable(memory, command.new_password.get_secret_value(), user.email)
    key = guessing.prove(memory, user, command.current_password.get_secret_value())
    guessing.clear(memory, key)
    _set_password(memory, user, password, ask, PasswordReason.CHANGED)
    ended = memory.end_all(user, ask.id, EndReason.PASSWORD_CHANGED, but=session.id)
    mailing.notice(memory, user, "password_changed", ask.id)
    return PasswordIsChanged(sessions_ended=ended)


def request_reset(memory: Memory, command: RequestPasswordReset, ask: Ask) -> ResetIsRequested:
    """A mail, if there is anybody to get it; the answer does not tell."""
    address = canonical(command.email)
    if address is None:
        raise Refusal(Code.EMAIL_INVALID)
    expires_at = memory.now + LIFETIMES[_RESET]
    asked = Guess(("reset", address), memory.now, guessing.source(command.ip_address, "reset"))
    if not guessing.is_admitted(memory, asked):
        return ResetIsRequested(expires_at=expires_at)
    guessing.fail(memory, asked)
    user = at(memory, address)
    may_have = user is not None and user.is_active and codes.may_make(memory, user, _RESET)
    if user is not None and may_have and mailing.may_send_reset(memory, user):
        memory.tell(user, PasswordResetRequested, ask.id, actor="service")
        mailing.send(memory, user, _RESET, ask.id)
    return ResetIsRequested(expires_at=expires_at)


def complete_reset(memory: Memory, command: CompletePasswordReset, ask: Ask) -> PasswordIsChanged:
    """A new password by the code of a mail; all sessions end, and a lock."""
    code = memory.codes.get(command.code.get_secret_value())
    if code is None or not code.is_open(_RESET, memory.now):
        raise Refusal(Code.CODE_INVALID)
    password = _acceptable(memory, command.new_password.get_secret_value(), code.address)
    user = memory.users[code.user_id]
    if not user.is_active or code.address != user.email:
        raise Refusal(Code.CODE_INVALID)
    _set_password(memory, user, password, ask, PasswordReason.RESET)
    guessing.forgive(memory, user)
    mailing.send(memory, user, "password_changed", ask.id)
    if not user.email_verified:
        user.email_verified = True
        memory.tell(user, EmailVerified, ask.id)
        if user.second_factor:
            factors.drop(memory, user, ask, FactorEndReason.PASSWORD_RESET)
    if user.locked_until is not None:
        locked = user.is_locked(memory.now)
        reason = UnlockReason.PASSWORD_RESET if locked else UnlockReason.EXPIRED
        guessing.unlock(memory, user, ask.id, reason, actor="")
    ended = memory.end_all(user, ask.id, EndReason.PASSWORD_CHANGED)
    return PasswordIsChanged(sessions_ended=ended)


def erase(memory: Memory, command: EraseAccount, ask: Ask) -> UserIsErased:
    """The user is gone."""
    user, _ = acting_afresh(memory, command.access_token, ask)
    guessing.prove(memory, user, command.password.get_secret_value())
    return erased(memory, user, ask)


def erased(memory: Memory, user: Account, ask: Ask, *, actor: str = "") -> UserIsErased:
    """Erase; the receipt."""
    return UserIsErased(
        user_id=user.id,
        sessions_ended=memory.erase(user, ask.id, actor=actor),
        commands_gone_at=memory.now + COMMANDS_KEPT,
    )


def _acceptable(memory: Memory, password: str, address: str) -> str:
    broken = judge(password, address, memory.settings.password_min_length)
    if broken is not None:
        raise Refusal(broken)
    return normalised(password) or ""


def _set_password(
    memory: Memory, user: Account, password: str, ask: Ask, reason: PasswordReason
) -> None:
    user.take_password(password)
    codes.spend_with_password(memory, user)
    memory.tell(user, PasswordChanged, ask.id, reason=reason)
