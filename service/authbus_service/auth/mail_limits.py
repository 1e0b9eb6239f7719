"""Mails to an address that nobody has shown to be theirs: its mailbox may be a stranger's."""

from authbus.addresses import canonical, mailbox
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.codes.service import is_any_open
from authbus_service.auth.guessing.limits import may_mail, may_use_kept
from authbus_service.auth.users.user import User


def counts_under(case: Case, user: User) -> tuple[bytes, ...] | None:
    """What a mail to the user's address counts under, if it may go out; else None.

    Few a day go to one mailbox, whatever accounts they are for; a user's own gets what they ask.
    The proof names the mailbox.
    """
    key = case.proof.mailbox
    if user.email_verified or key is None:
        return ()
    return (key,) if may_mail(case.rows.counted(key)) else None


def reset_counts_under(case: Case, user: User) -> tuple[bytes, ...] | None:
    """The same of a mail for a new password, which anybody may ask for.

    To an address of the user's own a few a day go freely, and then one whenever no code of an
    earlier one is good any more: that floods nobody, and where no mail comes there is one. Of what
    others have mailed to a mailbox its plain address is independent, twice a day: that is one
    address, where anybody makes accounts at any number of others.
    """
    key = case.proof.address
    if key is None:
        return counts_under(case, user)
    there = case.rows.counted(key)
    if not user.email_verified:
        may = _is_plain(user.email) and may_use_kept(there)
        return counts_under(case, user) or ((key,) if may else None)
    unused = case.rows.unused_codes(user.id)
    is_good = is_any_open(Purpose.RESET_PASSWORD, unused, case.at)
    return (key,) if may_mail(there) or not is_good else None


def _is_plain(email: str) -> bool:
    """Whether an address has neither dots in front nor a tag, as its mailbox is called."""
    address = canonical(email)
    return address is not None and mailbox(address) == address
