"""What applies each event: the one place that changes rows, beside the sweepers of attempts."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from authbus.events import (
    AnyEvent,
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    EmailVerified,
    PasswordChanged,
    PasswordReason,
    PasswordResetForced,
    PasswordResetRequested,
    ProfileUpdated,
    RoleGranted,
    RoleRevoked,
    SessionEnded,
    SessionRefreshed,
    SessionStarted,
    UserCreated,
    UserDeactivated,
    UserErased,
    UserLocked,
    UserReactivated,
    UserUnlocked,
)
from authbus.message import Event
from authbus.second_factor import (
    RecoveryCodeUsed,
    SecondFactorRequested,
    SessionElevated,
    TotpDisabled,
    TotpEnabled,
    TotpRequested,
    TotpUsed,
)
from authbus.service_accounts import ServiceSecretRotated
from authbus.state import SessionRevoked, UserKind, UserState
from authbus_service.auth import emails
from authbus_service.auth.codes import service as codes
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.factors import service as factors
from authbus_service.auth.outcome import Gone
from authbus_service.auth.private import Private
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions import service as sessions
from authbus_service.auth.users import service as users

Applied = UserState | SessionRevoked | Gone | None
Apply = Callable[[Any, Private, Rows, datetime], Applied]

# Whoever had the old password may have asked for these, and begun a second factor with it.
_VOID_WITH_PASSWORD = (Purpose.RESET_PASSWORD, Purpose.CHANGE_EMAIL)


def _session_started(event: SessionStarted, private: Private, rows: Rows, at: datetime) -> None:
    users.logged_in(event.user_id, private, rows.users)
    sessions.started(event, private, rows.sessions, at)
    if private.code_hash:
        codes.used(private.code_hash, rows.codes, at)


def _session_refreshed(event: SessionRefreshed, private: Private, rows: Rows, at: datetime) -> None:
    sessions.refreshed(event, private, rows.sessions, at)


def _session_ended(event: SessionEnded, _: Private, rows: Rows, at: datetime) -> SessionRevoked:
    return sessions.ended(event, rows.sessions, at)


def _password_changed(event: PasswordChanged, private: Private, rows: Rows, at: datetime) -> None:
    users.password_changed(event, private, rows.users)
    _spent_with_password(event, rows, at)
    if event.reason == PasswordReason.RESET:
        rows.attempts.forgive(event.user_id)


def _reset_forced(event: PasswordResetForced, private: Private, rows: Rows, at: datetime) -> None:
    users.password_voided(event, rows.users)
    _spent_with_password(event, rows, at)
    if private.code_hash:
        _mailed_reset(event, private, rows, at)


def _spent_with_password(event: Event, rows: Rows, at: datetime) -> None:
    for purpose in _VOID_WITH_PASSWORD:
        codes.spent(purpose, event.user_id, rows.codes, at)
    if not rows.users.by_id[event.user_id].second_factor:
        factors.void(event, rows.factors)


def _mailed_reset(event: Event, private: Private, rows: Rows, at: datetime) -> None:
    address = rows.users.touch(event.user_id).email
    codes.made(Purpose.RESET_PASSWORD, event, private.code_hash, address, rows.codes, at)


def _user_created(event: UserCreated, private: Private, rows: Rows, at: datetime) -> UserState:
    state = users.created(event, private, rows.users, at)
    if private.code_hash:
        is_service = event.kind == UserKind.SERVICE
        purpose = Purpose.SERVICE_SECRET if is_service else Purpose.VERIFY_EMAIL
        codes.made(purpose, event, private.code_hash, private.address, rows.codes, at)
    return state


def _user_deactivated(event: UserDeactivated, _: Private, rows: Rows, __: datetime) -> UserState:
    return users.deactivated(event, rows.users)


def _user_reactivated(event: UserReactivated, _: Private, rows: Rows, __: datetime) -> UserState:
    return users.reactivated(event, rows.users)


def _user_locked(event: UserLocked, _: Private, rows: Rows, __: datetime) -> None:
    users.locked(event, rows.users)


def _user_unlocked(event: UserUnlocked, _: Private, rows: Rows, __: datetime) -> None:
    users.unlocked(event, rows.users)
    rows.attempts.forgive(event.user_id)


def _profile_updated(event: ProfileUpdated, private: Private, rows: Rows, _: datetime) -> UserState:
    return users.profile_updated(event, private, rows.users)


def _role_granted(event: RoleGranted, _: Private, rows: Rows, __: datetime) -> UserState:
    return users.role_granted(event, rows.users)


def _role_revoked(event: RoleRevoked, _: Private, rows: Rows, __: datetime) -> UserState:
    return users.role_revoked(event, rows.users)


def _user_erased(event: UserErased, _: Private, rows: Rows, at: datetime) -> Gone:
    gone = users.erased(event, rows.users, at)
    rows.sessions.forget(event.user_id)
    rows.codes.forget(event.user_id)
    rows.factors.forget(event.user_id)
    rows.attempts.forgive(event.user_id)
    return gone


def _totp_requested(event: TotpRequested, private: Private, rows: Rows, at: datetime) -> None:
    factors.requested(event, private.totp_secret, rows.factors, at)


def _totp_enabled(event: TotpEnabled, private: Private, rows: Rows, at: datetime) -> None:
    users.second_factor(event.user_id, rows.users, enabled=True)
    factors.enabled(event, private.passed, private.recovery_codes, rows.factors, at)


def _totp_disabled(event: TotpDisabled, _: Private, rows: Rows, __: datetime) -> None:
    users.second_factor(event.user_id, rows.users, enabled=False)
    factors.disabled(event, rows.factors)


def _factor_requested(
    event: SecondFactorRequested, private: Private, rows: Rows, at: datetime
) -> None:
    users.logged_in(event.user_id, private, rows.users)
    version = rows.users.by_id[event.user_id].credential_version
    codes.challenged(event, private.code_hash, version, rows.codes, at)


def _code_used(
    event: TotpUsed | RecoveryCodeUsed, private: Private, rows: Rows, _: datetime
) -> None:
    factors.used(event, private.passed, rows.factors)


def _session_elevated(event: SessionElevated, _: Private, rows: Rows, at: datetime) -> None:
    sessions.elevated(event, rows.sessions, at)


def _secret_rotated(
    event: ServiceSecretRotated, private: Private, rows: Rows, at: datetime
) -> None:
    codes.rotated(event, private.code_hash, rows.codes, at)


APPLY: Mapping[type[Event], Apply] = {
    UserCreated: _user_created,
    UserLocked: _user_locked,
    UserUnlocked: _user_unlocked,
    SessionStarted: _session_started,
    SessionRefreshed: _session_refreshed,
    SessionEnded: _session_ended,
    UserDeactivated: _user_deactivated,
    UserReactivated: _user_reactivated,
    PasswordChanged: _password_changed,
    PasswordResetRequested: _mailed_reset,
    PasswordResetForced: _reset_forced,
    ProfileUpdated: _profile_updated,
    EmailVerificationRequested: emails.verification_requested,
    EmailVerified: emails.verified,
    EmailChangeRequested: emails.change_requested,
    EmailChanged: emails.changed,
    RoleGranted: _role_granted,
    RoleRevoked: _role_revoked,
    UserErased: _user_erased,
    TotpRequested: _totp_requested,
    TotpEnabled: _totp_enabled,
    TotpDisabled: _totp_disabled,
    SecondFactorRequested: _factor_requested,
    TotpUsed: _code_used,
    RecoveryCodeUsed: _code_used,
    SessionElevated: _session_elevated,
    ServiceSecretRotated: _secret_rotated,
}


def apply(event: AnyEvent, private: Private, rows: Rows, at: datetime) -> Applied:
    """Change the rows as the event says; returns the state record that goes with it, if any."""
    if not isinstance(event, UserCreated):
        users.follows(event, rows.users)
    return APPLY[type(event)](event, private, rows, at)
