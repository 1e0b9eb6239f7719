"""Commands: what a producer may ask. Each is sealed as a whole before it goes onto a topic."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from authbus.message import Command, Email, EmailPart, PersonalText, RoleName, Secret
from authbus.profile import Attributes, DisplayName, Locale, PictureUrl, TimeZone


class RegisterUser(Command):
    """Make an account. Answered by `Registered`; `email_taken` stays with the producer."""

    email: Email
    password: Secret


class LogIn(Command):
    """Start a session. Answered by `LoggedIn`; unknown and wrong are one refusal.

    `device` and `ip_address` are what the producer knows of the user's side, for their own list of
    sessions. They are on no topic in the clear.
    """

    email: Email
    password: Secret
    device: PersonalText = None
    ip_address: PersonalText = None


class LogOut(Command):
    """End a session by its refresh token. Answered by `LoggedOut`, also when it has ended."""

    session_id: UUID
    refresh_token: Secret


class EndSession(Command):
    """End one of the user's own sessions. Answered by `SessionIsEnded`, also when it has ended."""

    access_token: Secret
    session_id: UUID


class EndAllSessions(Command):
    """End all other sessions of the user. Answered by `AllSessionsEnded`."""

    access_token: Secret
    this_one_too: bool = False


class ListSessions(Command):
    """Where the user is logged in. A question: it has no effect. Answered by `SessionList`."""

    access_token: Secret


class DeactivateUser(Command):
    """Shut an account and end its sessions. For administrators: `access_token` is theirs.

    Answered by `UserIsDeactivated`, also when it is already.
    """

    access_token: Secret
    user_id: UUID
    reason: Literal["unspecified", "requested", "compromised", "abuse", "dormant"] = "unspecified"


class ReactivateUser(Command):
    """Open a deactivated account again. For administrators. Answered by `UserIsActive`."""

    access_token: Secret
    user_id: UUID


class UnlockUser(Command):
    """End a lock that wrong passwords brought, and forget them. For administrators.

    Answered by `UserIsUnlocked`, also when it is not locked.
    """

    access_token: Secret
    user_id: UUID


class ChangePassword(Command):
    """Set a new password; the current one is needed. Answered by `PasswordIsChanged`.

    All other sessions of the user end.
    """

    access_token: Secret
    current_password: Secret
    new_password: Secret


class GetProfile(Command):
    """The user's own profile. A question: it has no effect. Answered by `UserProfile`."""

    access_token: Secret


class UpdateProfile(Command):
    """Change the user's profile. Answered by `ProfileSaved`, or `version_conflict`.

    `profile_version` is the version that the change was made from. A field that is left out stays
    as it is, null clears it; `attributes` are replaced as a whole.
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
    """Mail the user a new code for their address. Answered by `MailQueued`."""

    access_token: Secret


class ChangeEmail(Command):
    """Mail a code to a new address, which is the account's once that code comes back.

    The password is asked for again. Answered by `MailQueued`.
    """

    access_token: Secret
    password: Secret
    new_email: Email


class ConfirmEmailChange(Command):
    """Make the new address the account's, by the code in the mail to it.

    Answered by `EmailIsChanged`, also when it was done before.
    """

    code: Secret


class GrantRole(Command):
    """Give a user a declared role. For administrators. Answered by `UserRoles`."""

    access_token: Secret
    user_id: UUID
    role: RoleName


class RevokeRole(Command):
    """Take a role from a user. For administrators. Answered by `UserRoles`."""

    access_token: Secret
    user_id: UUID
    role: RoleName


class EraseAccount(Command):
    """Erase one's own account and all that is held of it. Answered by `UserIsErased`."""

    access_token: Secret
    password: Secret


class EraseUser(Command):
    """Erase an account and all that is held of it. For administrators. See `EraseAccount`."""

    access_token: Secret
    user_id: UUID


class ExportAccount(Command):
    """All that is held of oneself. A question. Answered by `UserExport`, sealed to who asks."""

    access_token: Secret


class ExportUser(Command):
    """All that is held of a user. A question for administrators. See `ExportAccount`."""

    access_token: Secret
    user_id: UUID


class GetUser(Command):
    """One account with its live sessions. A question for administrators. See `UserDetails`."""

    access_token: Secret
    user_id: UUID


class FindUsers(Command):
    """Accounts, a page at a time. A question for administrators. Answered by `FoundUsers`.

    In the order of their addresses when `email_prefix` is given (a whole address is one too), else
    in the order of their registration. `after` is the last page's `next`.
    """

    access_token: Secret
    email_prefix: EmailPart = None
    status: Literal["active", "deactivated"] | None = None
    after: EmailPart = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


AnyCommand = (
    RegisterUser
    | LogIn
    | LogOut
    | EndSession
    | EndAllSessions
    | ListSessions
    | DeactivateUser
    | ReactivateUser
    | UnlockUser
    | ChangePassword
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
)
