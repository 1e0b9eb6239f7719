"""Mails to an address that nobody has shown to be theirs: its mailbox may be a stranger's."""

from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.codes.service import is_any_open
from authbus_service.auth.guessing.limits import may_mail
from authbus_service.auth.users.user import User


def counts_under(case: Case, user: User) -> tuple[bytes, ...] | None:
    """What a mail to the user's address counts under, if it may go out; else None.

    Few a day go to one mailbox, whatever accounts they are for; a user's own gets what they ask.
    The proof names the mailbox.
    """
    mailbox = case.proof.mailbox
    if user.email_verified or mailbox is None:
        return ()
    return (mailbox,) if may_mail(case.rows.counted(mailbox)) else None


def reset_counts_under(case: Case, user: User) -> tuple[bytes, ...] | None:
    """The same of a mail for a new password, which anybody may ask for.

    To an address of the user's own a few a day go freely, and then one whenever no code of an
    earlier one is good any more: that floods nobody, and where no mail comes there is one.
    """
    address = case.proof.address
    if not user.email_verified or address is None:
        return counts_under(case, user)
    unused = case.rows.unused_codes(user.id)
    is_good = is_any_open(Purpose.RESET_PASSWORD, unused, case.at)
    return (address,) if may_mail(case.rows.counted(address)) or not is_good else None
