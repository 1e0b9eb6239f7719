"""The private part of an event, made from the command that caused it.

It follows from the two, the rows before the event and the masters alone: a recovery makes it again
as it was made first.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import SecretStr

from authbus.addresses import canonical
from authbus.commands import (
    ChangeEmail,
    ChangePassword,
    CompletePasswordReset,
    ImportUser,
    LogIn,
    RefreshSession,
    RegisterUser,
    UpdateProfile,
)
from authbus.events import (
    AnyEvent,
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    EmailVerified,
    PasswordChanged,
    PasswordResetForced,
    PasswordResetRequested,
    ProfileUpdated,
    SessionRefreshed,
    SessionStarted,
    UserCreated,
)
from authbus.message import Command, Event
from authbus.profile import asked, filled
from authbus.second_factor import (
    CompleteLogIn,
    ConfirmTotp,
    RecoveryCodeUsed,
    SecondFactorRequested,
    TotpEnabled,
    TotpRequested,
    TotpUsed,
)
from authbus.service_accounts import CreateServiceAccount, LogInService, ServiceSecretRotated
from authbus.state import UserKind
from authbus_service.auth.cause import Cause
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.factors.factor import Passed
from authbus_service.auth.factors.service import hashed, passes, wrapped
from authbus_service.auth.importing import imported_hash
from authbus_service.auth.private import NOTHING, Private
from authbus_service.auth.request import Request, refresh_family
from authbus_service.auth.users import devices
from authbus_service.core.security.masters import token_hash

# The field of a command that holds the password which it sets.
NEW_PASSWORDS: Mapping[type[Command], str] = {
    RegisterUser: "password",
    ChangePassword: "new_password",
    CompletePasswordReset: "new_password",
}


def new_password(request: Request) -> str | None:
    """The password that a command sets, to be hashed with the command's own salt."""
    field = NEW_PASSWORDS.get(type(request.command))
    return None if field is None else getattr(request.command, field).get_secret_value()


def private_part(event: AnyEvent, cause: Cause) -> Private:
    """What `apply` needs beside this event.

    Raises TypeError when the command is none that causes such an event.
    """
    make = _PRIVATE.get(type(event))
    return NOTHING if make is None else make(event, cause)


def needs_command(event: Event) -> bool:
    """Whether the event cannot be applied without the command that caused it.

    A password that was taken away is void in any case; what is lost is the code of the mail.
    """
    return type(event) in _PRIVATE and not isinstance(event, PasswordResetForced)


def _created(event: UserCreated, cause: Cause) -> Private:
    if event.kind == UserKind.SERVICE:
        return Private(
            profile={"display_name": cause.command(CreateServiceAccount).name},
            code_hash=token_hash(cause.derived.code(Purpose.SERVICE_SECRET)),
        )
    imported = cause.request.command
    if isinstance(imported, ImportUser):
        return Private(
            address=imported.email,
            canonical=canonical(imported.email) or "",
            password_hash=imported_hash(imported),
            profile=filled(imported),
        )
    command = cause.command(RegisterUser)
    return Private(
        address=command.email,
        canonical=canonical(command.email) or "",
        password_hash=cause.password_hash,
        code_hash=token_hash(cause.derived.code(Purpose.VERIFY_EMAIL)),
    )


def _session_started(event: SessionStarted, cause: Cause) -> Private:
    command, user = cause.request.command, cause.rows.users.by_id[event.user_id]
    token = cause.derived.refresh_token
    hashes = token_hash(refresh_family(token)), token_hash(token)
    if isinstance(command, LogInService):
        return Private(family_hash=hashes[0], refresh_hash=hashes[1])
    if not isinstance(command, LogIn | CompleteLogIn):
        raise TypeError(f"{type(command).__name__} starts no session")
    return Private(
        family_hash=hashes[0],
        refresh_hash=hashes[1],
        password_hash=cause.password_hash,
        device=command.device,
        ip_address=command.ip_address,
        device_hash=devices.known(user.devices, command) or token_hash(cause.derived.device_token),
        code_hash=_challenge(command),
    )


def _challenge(command: LogIn | CompleteLogIn) -> bytes:
    """The hash of the challenge that is used up by a session's start."""
    if isinstance(command, LogIn):
        return b""
    return token_hash(command.challenge.get_secret_value())


def _session_refreshed(_: SessionRefreshed, cause: Cause) -> Private:
    held = cause.command(RefreshSession).refresh_token.get_secret_value()
    return Private(
        family_hash=token_hash(refresh_family(held)),
        refresh_hash=token_hash(cause.derived.next_refresh_token(held)),
    )


def _password_changed(_: PasswordChanged, cause: Cause) -> Private:
    return Private(password_hash=cause.password_hash)


def _reset_forced(event: PasswordResetForced, cause: Cause) -> Private:
    """A deactivated user was mailed no code."""
    if not cause.rows.users.by_id[event.user_id].is_active:
        return NOTHING
    return Private(code_hash=token_hash(cause.derived.code(Purpose.RESET_PASSWORD)))


def _profile_updated(event: ProfileUpdated, cause: Cause) -> Private:
    command = cause.request.command
    if isinstance(command, ImportUser):
        return Private(profile=filled(command))
    changes = asked(cause.command(UpdateProfile))
    return Private(profile={name: changes[name] for name in event.fields})


def _change_requested(_: EmailChangeRequested, cause: Cause) -> Private:
    code = cause.derived.code(Purpose.CHANGE_EMAIL)
    return Private(address=cause.command(ChangeEmail).new_email, code_hash=token_hash(code))


def _code_made(purpose: Purpose) -> Callable[[Event, Cause], Private]:
    return lambda _, cause: Private(code_hash=token_hash(cause.derived.code(purpose)))


def _verified(event: EmailVerified, cause: Cause) -> Private:
    imported = isinstance(cause.request.command, ImportUser)
    return NOTHING if imported else _code_used(event, cause)


def _code_used(_: Event, cause: Cause) -> Private:
    code = getattr(cause.request.command, "code", None)
    if not isinstance(code, SecretStr):
        raise TypeError(f"{type(cause.request.command).__name__} comes with no code of a mail")
    return Private(code_hash=token_hash(code.get_secret_value()))


def _totp_requested(event: TotpRequested, cause: Cause) -> Private:
    derived = cause.derived
    return Private(totp_secret=wrapped(derived.masters, event.user_id.bytes, derived.totp_secret))


def _totp_enabled(event: TotpEnabled, cause: Cause) -> Private:
    factor, derived = cause.rows.factors.known[event.user_id], cause.derived
    typed = cause.command(ConfirmTotp).code.get_secret_value()
    passed = passes(factor, typed, derived.masters, cause.at)
    return Private(passed=passed or Passed(), recovery_codes=hashed(derived.recovery_codes))


def _factor_requested(_: SecondFactorRequested, cause: Cause) -> Private:
    code_hash = token_hash(cause.derived.code(Purpose.LOG_IN))
    return Private(code_hash=code_hash, password_hash=cause.password_hash)


def _factor_used(event: TotpUsed | RecoveryCodeUsed, cause: Cause) -> Private:
    code = getattr(cause.request.command, "code", None)
    if not isinstance(code, SecretStr):
        raise TypeError(f"{type(cause.request.command).__name__} comes with no code of a factor")
    factor, masters = cause.rows.factors.known[event.user_id], cause.derived.masters
    return Private(passed=passes(factor, code.get_secret_value(), masters, cause.at) or Passed())


_PRIVATE: Mapping[type[Event], Callable[[Any, Cause], Private]] = {
    UserCreated: _created,
    SessionStarted: _session_started,
    SessionRefreshed: _session_refreshed,
    PasswordChanged: _password_changed,
    ProfileUpdated: _profile_updated,
    EmailVerificationRequested: _code_made(Purpose.VERIFY_EMAIL),
    PasswordResetRequested: _code_made(Purpose.RESET_PASSWORD),
    PasswordResetForced: _reset_forced,
    EmailChangeRequested: _change_requested,
    EmailVerified: _verified,
    EmailChanged: _code_used,
    TotpRequested: _totp_requested,
    TotpEnabled: _totp_enabled,
    SecondFactorRequested: _factor_requested,
    TotpUsed: _factor_used,
    RecoveryCodeUsed: _factor_used,
    ServiceSecretRotated: _code_made(Purpose.SERVICE_SECRET),
}
