"""What a log-in tells its user by mail."""

from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.users.user import User


def of_new_device(user: User, *, named: bool, known: bool) -> tuple[Mail, ...]:
    """A mail, when the producer names the device and its user had others before.

    A producer that tells nothing of devices would else cause one at each log-in.
    """
    if known or not named or not user.devices:
        return ()
    return (Mail.to(user, Template.NEW_DEVICE),)
