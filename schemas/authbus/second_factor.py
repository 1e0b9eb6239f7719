"""The second factor: codes that an app makes every 30 seconds (TOTP), and recovery codes.

What producers ask about it, what is answered, and what is told.
"""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from authbus.message import (
    Command,
    Event,
    Instant,
    PersonalText,
    Reply,
    Secret,
    SecretOrNone,
    Secrets,
)
from authbus.open_enum import OpenEnum

__all__ = [
    "CompleteLogIn",
    "ConfirmTotp",
    "DisableTotp",
    "FactorEndReason",
    "RecoveryCodeUsed",
    "ResetSecondFactor",
    "SecondFactorIsReset",
    "SecondFactorRequested",
    "SecondFactorRequired",
    "SessionElevated",
    "StartTotp",
    "StepUp",
    "SteppedUp",
    "TotpDisabled",
    "TotpEnabled",
    "TotpIsDisabled",
    "TotpIsEnabled",
    "TotpRequested",
    "TotpStarted",
    "TotpUsed",
]


class StartTotp(Command):
    """Begin to set up a second factor; the password is asked for again.

    Answered by `TotpStarted`. Nothing is needed of the user until a first code has come back:
    within an hour, and while the password is the same. `label` is what the user's app calls the
    account.
    """

    access_token: Secret
    password: Secret
    label: PersonalText = None


class ConfirmTotp(Command):
    """Enable the second factor by a first code of it. Answered by `TotpIsEnabled`."""

    access_token: Secret
    code: Secret


class DisableTotp(Command):
    """Do without the second factor, by a code of it or a recovery code.

    Answered by `TotpIsDisabled`.
    """

    access_token: Secret
    code: Secret


class CompleteLogIn(Command):
    """The second half of a log-in: a code of the user's app, or a recovery code.

    Answered by `LoggedIn`. `challenge` is that of `SecondFactorRequired`; a wrong code leaves it as
    it is. After 100 wrong ones in a row no code is let in until an administrator unlocks the user,
    or they have set up another factor. The other fields are those of `LogIn`.
    """

    challenge: Secret
    code: Secret
    device: PersonalText = None
    ip_address: PersonalText = None
    device_token: SecretOrNone = None


class StepUp(Command):
    """Show the second factor once more within a session. Answered by `SteppedUp`.

    Commands that could take an account away need this where it is long ago (`step_up_required`).
    """

    access_token: Secret
    code: Secret


class ResetSecondFactor(Command):
    """Take a lost second factor from a user. For administrators: `access_token` is theirs.

    Answered by `SecondFactorIsReset`, also when there is none.
    """

    access_token: Secret
    user_id: UUID


class SecondFactorRequired(Reply):
    """The password was right; no session has started. `challenge` is good once, until then."""

    sealed: ClassVar[bool] = True

    challenge: Secret
    expires_at: Instant


class TotpStarted(Reply):
    """The secret for the user's app, as text and as a URI for a QR code. It is shown once."""

    sealed: ClassVar[bool] = True

    secret: Secret
    otpauth_uri: Secret


class TotpIsEnabled(Reply):
    """From now on log-ins need a code. Each recovery code is good once; they are shown once."""

    sealed: ClassVar[bool] = True

    recovery_codes: Secrets


class TotpIsDisabled(Reply):
    """Log-ins need the password alone."""

    user_id: UUID


class SteppedUp(Reply):
    """The session was strengthened. Its new access token tells when and how."""

    sealed: ClassVar[bool] = True

    access_token: Secret
    access_token_expires_at: Instant


class SecondFactorIsReset(Reply):
    """Log-ins of the user need the password alone."""

    user_id: UUID


class FactorEndReason(OpenEnum):
    """Why a user has a second factor no longer."""

    REQUESTED = "requested"
    ADMIN = "admin"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a reason


class TotpRequested(Event):
    """A second factor is being set up; nothing is needed of its user yet."""


class TotpEnabled(Event):
    """From now on a log-in of this user needs a second factor."""


class TotpDisabled(Event):
    """Log-ins of this user need no second factor any more.

    `password_reset`: it was set up before anybody had read a mail to the account's address.
    """

    reason: FactorEndReason


class SecondFactorRequested(Event):
    """A password was right, and a second factor is waited for."""


class TotpUsed(Event):
    """A code of the user's app was used: neither it nor an earlier one is good any more."""


class RecoveryCodeUsed(Event):
    """A recovery code was used; so many are left."""

    left: Annotated[int, Field(ge=0)]


class SessionElevated(Event):
    """A second factor was shown within a session; `amr` are all that it was shown by so far."""

    session_id: UUID
    amr: tuple[str, ...]
