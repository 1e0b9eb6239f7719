"""Events: what happened to a user, in the user's order. No secret and no personal data."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from authbus.message import Event, Instant, RoleName
from authbus.open_enum import OpenEnum
from authbus.profile import ProfileField
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
from authbus.state import UserKind


class EndReason(OpenEnum):
    """Why a session ended."""

    LOGOUT = "logout"
    REVOKED = "revoked"
    ADMIN = "admin"
    IDLE = "idle"
    EXPIRED = "expired"
    LIMIT = "limit"
    PASSWORD_CHANGED = "password_changed"
    TOKEN_REUSE = "token_reuse"
    DEACTIVATED = "deactivated"
    ERASED = "erased"
    SECRET_ROTATED = "secret_rotated"


class DeactivationReason(OpenEnum):
    """Why an account was deactivated."""

    UNSPECIFIED = "unspecified"
    REQUESTED = "requested"
    COMPROMISED = "compromised"
    ABUSE = "abuse"
    DORMANT = "dormant"


class PasswordReason(OpenEnum):
    """How a new password came."""

    CHANGED = "changed"
    RESET = "reset"


class UserCreated(Event):
    """An account was made. Its e-mail is on `auth.state.users.v1` alone."""

    kind: UserKind = UserKind.PERSON


class SessionStarted(Event):
    """A log-in. `amr` are RFC 8176 method names, `client_id` is the producer that asked.

    The session is over at `expires_at`, and before that at `lapses_at` when it is not refreshed.
    """

    session_id: UUID
    client_id: Annotated[str, StringConstraints(max_length=64)]
    amr: tuple[str, ...]
    expires_at: Instant
    lapses_at: Instant


class SessionRefreshed(Event):
    """Its holder came for new tokens: it goes on until `lapses_at`, or is refreshed again."""

    session_id: UUID
    lapses_at: Instant


class SessionEnded(Event):
    """A session is over and never comes back."""

    session_id: UUID
    reason: EndReason


class UserDeactivated(Event):
    """An account was shut; its sessions end with events of their own."""

    reason: DeactivationReason


class UserReactivated(Event):
    """A deactivated account may be used again."""


class UnlockReason(OpenEnum):
    """Why an account is no longer locked."""

    EXPIRED = "expired"
    ADMIN = "admin"
    PASSWORD_RESET = "password_reset"


class UserLocked(Event):
    """Too many wrong passwords: nobody logs in with one until then. Sessions go on."""

    until: Instant


class UserUnlocked(Event):
    """The lock is over. One that has run out is told at the next log-in."""

    reason: UnlockReason


class PasswordChanged(Event):
    """The user has a new password. Sessions that end with it have events of their own."""

    reason: PasswordReason


class PasswordResetRequested(Event):
    """A mail with a code for a new password is on its way; the old one is still good."""


class PasswordResetForced(Event):
    """The user's password was taken away; sessions that end with it have events of their own.

    Unless the account is deactivated, a mail with a code for a new one is on its way.
    """


class ProfileUpdated(Event):
    """These fields of the profile changed. Their values are on `auth.state.users.v1` alone."""

    profile_version: Annotated[int, Field(ge=1)]
    fields: tuple[ProfileField, ...]


class EmailVerificationRequested(Event):
    """A mail with a new code is on its way to the account's address."""


class EmailVerified(Event):
    """The account's address is its user's."""


class EmailChangeRequested(Event):
    """A mail with a code is on its way to another address; nothing has changed yet."""


class EmailChanged(Event):
    """The account has another address, a verified one. It is on `auth.state.users.v1` alone."""


class RoleGranted(Event):
    """The user holds this role from now on; what it permits is the installation's."""

    role: RoleName


class RoleRevoked(Event):
    """The user holds this role no longer. Access tokens keep it until they expire."""

    role: RoleName


class UserErased(Event):
    """The account and all that was held of it are gone. The last event of this user."""


AnyEvent = (
    UserCreated
    | SessionStarted
    | SessionRefreshed
    | SessionEnded
    | UserDeactivated
    | UserReactivated
    | UserLocked
    | UserUnlocked
    | PasswordChanged
    | PasswordResetRequested
    | PasswordResetForced
    | ProfileUpdated
    | EmailVerificationRequested
    | EmailVerified
    | EmailChangeRequested
    | EmailChanged
    | RoleGranted
    | RoleRevoked
    | UserErased
    | TotpRequested
    | TotpEnabled
    | TotpDisabled
    | SecondFactorRequested
    | TotpUsed
    | RecoveryCodeUsed
    | SessionElevated
    | ServiceSecretRotated
)
