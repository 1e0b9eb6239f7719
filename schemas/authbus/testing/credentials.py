"""Accounts and their passwords: register, log in, change and reset."""

from authbus.addresses import canonical
from authbus.commands import (
    ChangePassword,
    CompletePasswordReset,
    EraseAccount,
    LogIn,
    RegisterUser,
    RequestPasswordReset,
)
from authbus.events import (
    EmailVerified,
    EndReason,
    PasswordChanged,
    PasswordReason,
    PasswordResetRequested,
    SessionStarted,
    UnlockReason,
    UserCreated,
)
from authbus.password_replies import PasswordIsChanged, ResetIsRequested
from authbus.replies import Code, LoggedIn, Registered, UserIsErased
from authbus.testing import guessing, mailing
from authbus.testing.acting import acting, granted
from authbus.testing.guessing import Key
from authbus.testing.judging import judge, normalised
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.testing.rows import LIFETIMES, Account, Held, derived_id, derived_secret
from authbus.topics import COMMANDS_KEPT

_MOST_DEVICES = 10


def register(memory: Memory, command: RegisterUser, ask: Ask) -> Registered:
    """An account for a free address, and a mail to it."""
    address = canonical(command.email)
    if address is None:
        raise Refusal(Code.EMAIL_INVALID)
    password = _acceptable(memory, command.password.get_secret_value(), address)
    if address in memory.addresses:
        raise Refusal(Code.EMAIL_TAKEN)
    user = Account(derived_id("user", ask.id), command.email, password)
    memory.users[user.id], memory.addresses[address] = user, user.id
    memory.tell(user, UserCreated, ask.id)
    mailing.send(memory, user, "verify_email", ask.id)
    return Registered(user_id=user.id)


def log_in(memory: Memory, command: LogIn, ask: Ask) -> LoggedIn:
    """A session for whoever knows the password."""
    address = canonical(command.email) or ""
    user = _at(memory, address)
    shown = None if command.device_token is None else command.device_token.get_secret_value()
    known = user is not None and shown in user.devices
    key: Key = ("device", shown or "") if known else ("account", address)
    guessing.admit(memory, key)
    right = guessing.matches(user, command.password.get_secret_value())
    shut_out = user is None or (user.is_locked(memory.now) and not known)
    if user is None or shut_out or not right or not user.is_active:
        failures = guessing.failed(memory, key)
        if user is not None and not (shut_out or right or known):
            guessing.lock_after(memory, user, ask.id, failures)
        raise Refusal(Code.INVALID_CREDENTIALS)
    memory.failures.pop(key, None)
    if user.locked_until is not None and not user.is_locked(memory.now):
        guessing.unlock(memory, user, ask.id, UnlockReason.EXPIRED)
    session = _session(memory, user, command, ask)
    if not known and user.devices and (command.device is not None or shown is not None):
        mailing.send(memory, user, "new_device", ask.id)
    device = shown if known and shown else derived_secret("device", ask.id)
    user.devices = [*(each for each in user.devices if each != device), device][-_MOST_DEVICES:]
    return LoggedIn.model_validate({**granted(memory, user, session, ask), "device_token": device})


def _at(memory: Memory, address: str) -> Account | None:
    user_id = memory.addresses.get(address)
    return None if user_id is None else memory.users[user_id]


def _session(memory: Memory, user: Account, command: LogIn, ask: Ask) -> Held:
    live, settings = memory.live(user), memory.settings
    for each in live[: max(0, len(live) + 1 - settings.sessions_per_user)]:
        memory.end(each, ask.id, EndReason.LIMIT)
    expires_at = memory.now + settings.session
    session = Held(
        id=derived_id("session", ask.id),
        user_id=user.id,
        client_id=ask.client_id,
        tokens=[derived_secret("refresh", ask.id)],
        started_at=memory.now,
        last_used_at=memory.now,
        lapses_at=min(memory.now + settings.idle, expires_at),
        expires_at=expires_at,
        device=command.device,
        ip_address=command.ip_address,
    )
    memory.sessions[session.id] = session
    memory.tell(
        user,
        SessionStarted,
        ask.id,
        session_id=session.id,
        client_id=session.client_id,
        amr=session.amr,
        expires_at=expires_at,
        lapses_at=session.lapses_at,
    )
    return session


def change_password(memory: Memory, command: ChangePassword, ask: Ask) -> PasswordIsChanged:
    """A new password; all other sessions end."""
    user, session = acting(memory, command.access_token)
    password = _acceptable(memory, command.new_password.get_secret_value(), user.email)
    guessing.prove(memory, user, command.current_password.get_secret_value())
    _set_password(memory, user, password, ask, PasswordReason.CHANGED)
    ended = memory.end_all(user, ask.id, EndReason.PASSWORD_CHANGED, but=session.id)
    mailing.send(memory, user, "password_changed", ask.id)
    return PasswordIsChanged(sessions_ended=ended)


def request_reset(memory: Memory, command: RequestPasswordReset, ask: Ask) -> ResetIsRequested:
    """A mail, if there is anybody to get it; the answer does not tell."""
    address = canonical(command.email)
    if address is None:
        raise Refusal(Code.EMAIL_INVALID)
    user = _at(memory, address)
    if user is not None and user.is_active and mailing.may_send(memory, user, "reset_password"):
        memory.tell(user, PasswordResetRequested, ask.id, actor="service")
        mailing.send(memory, user, "reset_password", ask.id)
    return ResetIsRequested(expires_at=memory.now + LIFETIMES["reset_password"])


def complete_reset(memory: Memory, command: CompletePasswordReset, ask: Ask) -> PasswordIsChanged:
    """A new password by the code of a mail; all sessions end, and a lock."""
    mail = mailing.found(memory, command.code.get_secret_value())
    if mail is None or not mail.is_open("reset_password", memory.now):
        raise Refusal(Code.CODE_INVALID)
    password = _acceptable(memory, command.new_password.get_secret_value(), mail.address)
    user = memory.users[mail.user_id]
    if not user.is_active or mail.address != user.email:
        raise Refusal(Code.CODE_INVALID)
    _set_password(memory, user, password, ask, PasswordReason.RESET)
    guessing.forgive(memory, user)
    if not user.email_verified:
        user.email_verified = True
        memory.tell(user, EmailVerified, ask.id)
    if user.locked_until is not None:
        locked = user.is_locked(memory.now)
        reason = UnlockReason.PASSWORD_RESET if locked else UnlockReason.EXPIRED
        guessing.unlock(memory, user, ask.id, reason, actor="")
    ended = memory.end_all(user, ask.id, EndReason.PASSWORD_CHANGED)
    mailing.send(memory, user, "password_changed", ask.id)
    return PasswordIsChanged(sessions_ended=ended)


def erase(memory: Memory, command: EraseAccount, ask: Ask) -> UserIsErased:
    """The user is gone."""
    user, _ = acting(memory, command.access_token)
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
    user.password = password
    mailing.spend(memory, user, "reset_password")
    memory.tell(user, PasswordChanged, ask.id, reason=reason)
