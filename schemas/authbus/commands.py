"""Commands: what a producer may ask. Each is sealed as a whole before it goes onto a topic."""

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


AnyCommand = RegisterUser | LogIn | LogOut
