"""What a user is told by mail without having asked."""

from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.users.user import User


def notice(user: User, template: Template) -> tuple[Mail, ...]:
    """A mail to the user's address, once somebody has shown it to be theirs.

    Until then it may be a stranger's, who would be mailed as often as the account is used.
    """
    return (Mail.to(user, template),) if user.email_verified else ()


def new_device_notice(user: User, *, named: bool, known: bool) -> tuple[Mail, ...]:
    """A mail, when the producer names the device and it is not the account's first one.

    A producer that says nothing of devices would otherwise cause one at each log-in. After a new
    password no device is known, so that each is told of.
    """
    is_first = not user.devices and user.has_first_password
    if known or not named or is_first:
        return ()
    return notice(user, Template.NEW_DEVICE)
