"""How many mails may go to a mailbox that nobody has shown to be theirs: it may be a stranger's."""

from authbus.addresses import canonical, mailbox
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.codes.service import is_any_open
from authbus_service.auth.guessing.limits import may_mail, may_use_kept
from authbus_service.auth.users.user import User


def mail_keys(case: Case, user: User) -> tuple[bytes, ...] | None:
    """The keys under which a mail to the user's address is counted; None: it may not go out.

    Few a day go to one mailbox, whatever accounts they are for; to an address that its user has
    shown to be theirs all go that they ask for. The proof names the mailbox.
    """
    key = case.proof.mailbox
    if user.email_verified or key is None:
        return ()
    return (key,) if may_mail(case.rows.counted(key)) else None


def reset_mail_keys(case: Case, user: User) -> tuple[bytes, ...] | None:
    """The same for a mail with a code for a new password, which anybody may ask for.

    To an address that its user has shown a few a day go freely, and then one whenever no earlier
    code is good any more: that floods nobody, and whoever gets no mail has a code already. The
    plain address of a mailbox gets two a day, whatever others had mailed to that mailbox: it is one
    address, while anybody can make accounts at any number of its variants.
    """
    key = case.proof.address
    if key is None:
        return mail_keys(case, user)
    there = case.rows.counted(key)
    if not user.email_verified:
        may = _is_plain(user.email) and may_use_kept(there)
        return mail_keys(case, user) or ((key,) if may else None)
    unused = case.rows.unused_codes(user.id)
    is_good = is_any_open(Purpose.RESET_PASSWORD, unused, case.at)
    return (key,) if may_mail(there) or not is_good else None


def _is_plain(email: str) -> bool:
    """Whether an address has neither dots in front nor a tag, as its mailbox is called."""
    address = canonical(email)
    return address is not None and mailbox(address) == address
