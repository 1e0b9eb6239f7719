"""What may be asked about a user's own password."""

from authbus.message import Command, Email, PersonalText, Secret


class ChangePassword(Command):
    """Set a new password; the current one is needed. Answered by `PasswordIsChanged`.

    All other sessions of the user end. Codes that were mailed before, for another password or
    another address, are void.
    """

    access_token: Secret
    current_password: Secret
    new_password: Secret


class RequestPasswordReset(Command):
    """Mail a code for a new password. Answered by `ResetIsRequested`, whoever has the address.

    No mail goes out for an address without an account, for a deactivated one, or when there were
    too many for this address, from this `ip_address`, or to a mailbox that nobody has verified.
    """

    email: Email
    ip_address: PersonalText = None


class CompletePasswordReset(Command):
    """Set a new password by the code in a mail. Answered by `PasswordIsChanged`.

    All sessions of the user end, and a lock that wrong passwords brought. Codes that were mailed
    before, for another password or another address, are void. Where it is the first mail to the
    address that anybody has read, a second factor ends too: it may be that of a stranger.
    """

    code: Secret
    new_password: Secret
