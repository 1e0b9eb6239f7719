"""Mails to an address that nobody has shown to be theirs: its mailbox may be a stranger's."""

from authbus_service.auth.case import Case
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
