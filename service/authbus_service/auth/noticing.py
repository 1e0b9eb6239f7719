"""What a log-in tells its user by mail."""

from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.users.user import User


def of_new_device(user: User, *, named: bool, known: bool) -> tuple[Mail, ...]:
    """A mail, when the producer names the device and it is not the account's first one.

    A producer that tells nothing of devices would else cause one at each log-in. After a new
    password no device is known, and each is told of.
    """
    is_first = not user.devices and user.has_first_password
    if known or not named or is_first:
        return ()
    return (Mail.to(user, Template.NEW_DEVICE),)
