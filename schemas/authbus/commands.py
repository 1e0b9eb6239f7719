"""Commands: what a producer may ask. Each is sealed as a whole before it goes onto a topic."""

from typing import Literal
from uuid import UUID

from authbus.message import Command, Email, Secret


class RegisterUser(Command):
    """Make an account. Answered by `Registered`; `email_taken` stays with the producer."""

    email: Email
    password: Secret


class LogIn(Command):
    """Start a session. Answered by `LoggedIn`; unknown and wrong are one refusal."""

    email: Email
    password: Secret


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


class ChangePassword(Command):
    """Set a new password; the current one is needed. Answered by `PasswordIsChanged`.

    All other sessions of the user end.
    """

    access_token: Secret
    current_password: Secret
    new_password: Secret


AnyCommand = (
    RegisterUser
    | LogIn
    | LogOut
    | EndSession
    | EndAllSessions
    | ListSessions
    | DeactivateUser
    | ReactivateUser
    | ChangePassword
)
