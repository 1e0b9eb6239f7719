"""What administrators may ask: `access_token` is theirs, or an operator's proof."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from authbus.message import (
    Command,
    Email,
    EmailPart,
    ExportPlace,
    RoleName,
    Secret,
    SecretOrNone,
    SessionPlace,
)
from authbus.profile import Attributes, DisplayName, Locale, PictureUrl, TimeZone


class DeactivateUser(Command):
    """Shut an account and end its sessions. For administrators: `access_token` is theirs.

    Answered by `UserIsDeactivated`, also when it is already. `forbidden` where its user may do more
    than the administrator: `EndUserSessions` ends the sessions of whoever it is.
    """

    access_token: Secret
    user_id: UUID
    reason: Literal["unspecified", "requested", "compromised", "abuse", "dormant"] = "unspecified"


class ReactivateUser(Command):
    """Open a deactivated account again. For administrators. Answered by `UserIsActive`.

    `forbidden` where its user may do more than the administrator.
    """

    access_token: Secret
    user_id: UUID


class UnlockUser(Command):
    """End a lock that wrong passwords brought, and forget all wrong guesses. For administrators.

    Those at a second factor and from sessions too. Answered by `UserIsUnlocked`, also when it is
    not locked. `forbidden` where its user may do more than the administrator.
    """

    access_token: Secret
    user_id: UUID


class EndUserSessions(Command):
    """End all sessions of a user, or one of them. For administrators.

    The user may log in again, so that this is permitted whatever they may do. A session is enough;
    with `user_id` it must be theirs. Answered by `AllSessionsEnded`.
    """

    access_token: Secret
    user_id: UUID | None = None
    session_id: UUID | None = None


class ForcePasswordReset(Command):
    """Take a user's password away: it no longer works, sessions end. For administrators.

    A mail with a code for a new one goes to the user, unless the account is deactivated. Answered
    by `PasswordIsVoid`. `forbidden` where its user may do more than the administrator.
    """

    access_token: Secret
    user_id: UUID


class ImportUser(Command):
    """Make an account that another system had. For administrators. Answered by `UserIsImported`.

    `password_hash` is of argon2 or bcrypt, of PBKDF2 or scrypt as Django writes them, of scrypt as
    a PHC string, or of Firebase's scrypt with the project's parameters in it. It is made anew at
    the first log-in. Without one the user sets a password by `RequestPasswordReset`. No mail goes
    out.
    """

    access_token: Secret
    email: Email
    password_hash: SecretOrNone = None
    email_verified: bool = False
    display_name: DisplayName | None = Field(default=None, repr=False)
    locale: Locale | None = Field(default=None, repr=False)
    time_zone: TimeZone | None = Field(default=None, repr=False)
    picture_url: PictureUrl | None = Field(default=None, repr=False)
    attributes: Attributes | None = Field(default=None, repr=False)


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


class EraseUser(Command):
    """Erase an account and all that is held of it. For administrators. See `EraseAccount`.

    `forbidden` where its user may do more than the administrator.
    """

    access_token: Secret
    user_id: UUID


class ExportUser(Command):
    """All that is held of a user. A question for administrators. See `ExportAccount`."""

    access_token: Secret
    user_id: UUID
    after: ExportPlace = None


class GetUser(Command):
    """One account with its live sessions, a page at a time. A question for administrators.

    With `ended_sessions` also the newest 20 of those that are over. A session is forgotten 30 days
    after its end. `after` is the last page's `next`. See `UserDetails`.
    """

    access_token: Secret
    user_id: UUID
    ended_sessions: bool = False
    after: SessionPlace | None = None


class FindUsers(Command):
    """Accounts, a page at a time. A question for administrators. Answered by `FoundUsers`.

    In the order of their addresses when `email_prefix` is given (a whole address is one too), else
    in the order of their registration. `after` is the last page's `next`. No more than `limit`,
    and no more than a record takes.
    """

    access_token: Secret
    email_prefix: EmailPart = None
    status: Literal["active", "deactivated"] | None = None
    after: EmailPart = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50
