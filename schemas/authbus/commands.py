"""Commands: what a producer may ask. Each is sealed as a whole before it goes onto a topic."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from authbus.admin_commands import (
    DeactivateUser,
    EndUserSessions,
    EraseUser,
    ExportUser,
    FindUsers,
    ForcePasswordReset,
    GetUser,
    GrantRole,
    ImportUser,
    ReactivateUser,
    RevokeRole,
    UnlockUser,
)
from authbus.message import (
    Command,
    Email,
    ExportPlace,
    PersonalText,
    Secret,
    SecretOrNone,
    SessionPlace,
)
from authbus.password_commands import (
    ChangePassword,
    CompletePasswordReset,
    RequestPasswordReset,
)
from authbus.profile import Attributes, DisplayName, Locale, PictureUrl, TimeZone
from authbus.second_factor import (
    CompleteLogIn,
    ConfirmTotp,
    DisableTotp,
    ResetSecondFactor,
    StartTotp,
    StepUp,
)
from authbus.service_accounts import CreateServiceAccount, LogInService, RotateServiceSecret


class RegisterUser(Command):
    """Make an account. Answered by `Registered`; `email_taken` stays with the producer.

    A mail goes to its address, unless five went to that mailbox in a day: `ResendVerification` asks
    for one the day after. `ip_address` is the user's, as in `LogIn`; `too_soon` is the answer to a
    place that asks too often.
    """

    email: Email
    password: Secret
    ip_address: PersonalText = None


class LogIn(Command):
    """Start a session. Answered by `LoggedIn`; unknown and wrong are one refusal.

    `device` and `ip_address` are what the producer knows of the user's side, for their own list of
    sessions. They are on no topic in the clear. Guesses are counted by `ip_address`: behind a proxy
    it is the address that the proxy forwards; the proxy's own would be everybody's.

    `device_token` is that of an earlier `LoggedIn` on the same device: guesses of others then keep
    its user out no more. A log-in that names a `device` and shows no known token is told to its
    user by mail.
    """

    email: Email
    password: Secret
    device: PersonalText = None
    ip_address: PersonalText = None
    device_token: SecretOrNone = None


class LogOut(Command):
    """End a session by its refresh token. Answered by `LoggedOut`, also when it has ended.

    30 days after its end nothing is known of it any more: `invalid_token`.
    """

    session_id: UUID
    refresh_token: Secret


class RefreshSession(Command):
    """Change a refresh token for new tokens. Answered by `Refreshed`.

    Each token is good for one command. A second one, under another id, ends the session: somebody
    has a copy. Only just after the change it is `token_rotated`, and the session goes on.
    """

    session_id: UUID
    refresh_token: Secret


class EndSession(Command):
    """End one of the user's own sessions. Answered by `SessionIsEnded`, also when it has ended.

    30 days after its end nothing is known of it any more: `session_unknown`.
    """

    access_token: Secret
    session_id: UUID


class EndAllSessions(Command):
    """End all other sessions of the user. Answered by `AllSessionsEnded`."""

    access_token: Secret
    this_one_too: bool = False


class ListSessions(Command):
    """Where the user is logged in, a page at a time. A question. See `SessionList`."""

    access_token: Secret
    after: SessionPlace | None = None


class GetProfile(Command):
    """The user's own profile. A question: it has no effect. Answered by `UserProfile`."""

    access_token: Secret


class UpdateProfile(Command):
    """Change the user's profile. Answered by `ProfileSaved`, or `version_conflict`.

    `profile_version` is the version that the change was made from. A field that is left out stays
    as it is, null clears it; `attributes` are replaced as a whole: 4096 bytes of JSON at most,
    4 levels and 64 keys of 64 characters.
    """

    access_token: Secret
    profile_version: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]
    display_name: DisplayName | None = Field(default=None, repr=False)
    locale: Locale | None = Field(default=None, repr=False)
    time_zone: TimeZone | None = Field(default=None, repr=False)
    picture_url: PictureUrl | None = Field(default=None, repr=False)
    attributes: Attributes | None = Field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data, with a null for each field that is cleared."""
        return self.model_dump(mode="json", exclude_unset=True)


class VerifyEmail(Command):
    """Show that an account's address is its user's, by the code in a mail.

    Answered by `EmailIsVerified`, also when it was shown before.
    """

    code: Secret


class ResendVerification(Command):
    """Mail the user a new code for their address. Answered by `MailQueued`.

    `too_soon` where many were asked for, by this user or for that mailbox, by whomever.
    """

    access_token: Secret


class ChangeEmail(Command):
    """Mail a code to a new address, which is the account's once that code comes back.

    The password is asked for again, and codes that were mailed for another change are void.
    Answered by `MailQueued`; `email_taken` stays with the
    producer. `too_soon` where this user asked for one, free or taken, in the last minute or five in
    a day, or five mails went to that mailbox.
    """

    access_token: Secret
    password: Secret
    new_email: Email


class ConfirmEmailChange(Command):
    """Make the new address the account's, by the code in the mail to it.

    Answered by `EmailIsChanged`, also when it was done before.
    """

    code: Secret


class EraseAccount(Command):
    """Erase one's own account and all that is held of it. Answered by `UserIsErased`."""

    access_token: Secret
    password: Secret


class ExportAccount(Command):
    """All that is held of oneself, page by page, each row once. A question. See `UserExport`."""

    access_token: Secret
    after: ExportPlace = None


AnyCommand = (
    RegisterUser
    | LogIn
    | LogOut
    | RefreshSession
    | EndSession
    | EndAllSessions
    | ListSessions
    | DeactivateUser
    | ReactivateUser
    | UnlockUser
    | EndUserSessions
    | ForcePasswordReset
    | ImportUser
    | ChangePassword
    | RequestPasswordReset
    | CompletePasswordReset
    | GetProfile
    | UpdateProfile
    | VerifyEmail
    | ResendVerification
    | ChangeEmail
    | ConfirmEmailChange
    | GrantRole
    | RevokeRole
    | EraseAccount
    | EraseUser
    | ExportAccount
    | ExportUser
    | GetUser
    | FindUsers
    | StartTotp
    | ConfirmTotp
    | DisableTotp
    | CompleteLogIn
    | StepUp
    | ResetSecondFactor
    | CreateServiceAccount
    | RotateServiceSecret
    | LogInService
)
