"""Events about an account's address, applied: what its user, its codes and its claims become."""

from datetime import datetime

from authbus.events import (
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    EmailVerified,
)
from authbus.state import UserState
from authbus_service.auth.codes import service as codes
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.private import Private
from authbus_service.auth.rows import Rows
from authbus_service.auth.users import service as users


def verification_requested(
    event: EmailVerificationRequested, private: Private, rows: Rows, at: datetime
) -> None:
    """Another code for the address that the user has."""
    address = rows.users.by_id[event.user_id].email
    codes.made(Purpose.VERIFY_EMAIL, event, private.code_hash, address, rows.codes, at)


def verified(event: EmailVerified, _: Private, rows: Rows, at: datetime) -> UserState:
    """The address is the user's, and no code for it is needed any more."""
    user = rows.users.touch(event.user_id)
    user.email_verified = True
    codes.spent(Purpose.VERIFY_EMAIL, user.id, rows.codes, at)
    return users.state(user)


def change_requested(
    event: EmailChangeRequested, private: Private, rows: Rows, at: datetime
) -> None:
    """A code for another address; the claim that was made to look is let go of again.

    Earlier ones are void: where the first address was mistyped, a stranger has that code. Without a
    hash they are so too, and there is no new one.
    """
    codes.spent(Purpose.CHANGE_EMAIL, event.user_id, rows.codes, at)
    if private.code_hash:
        codes.made(Purpose.CHANGE_EMAIL, event, private.code_hash, private.address, rows.codes, at)


def changed(event: EmailChanged, private: Private, rows: Rows, at: datetime) -> UserState:
    """The code's address takes the old one's place; what was mailed to the old one is void."""
    address = rows.codes.known[private.code_hash].address
    for purpose in Purpose:
        codes.spent(purpose, event.user_id, rows.codes, at)
    return users.moved(event, address, rows.users)
