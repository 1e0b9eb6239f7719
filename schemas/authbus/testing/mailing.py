"""Mails, as they would have been sent."""

from uuid import UUID

from authbus.addresses import canonical
from authbus.testing import codes, guessing
from authbus.testing.memory import Memory
from authbus.testing.rows import Account, Mail

# What the code in a mail is for; a notice has none.
_PURPOSES = {
    "verify_email": "verify_email",
    "change_email": "change_email",
    "reset_password": "reset_password",
    "force_reset": "reset_password",
}


def send(memory: Memory, user: Account, template: str, cause: UUID, address: str = "") -> None:
    """A mail to the user's address, unless another one is given."""
    purpose, to = _PURPOSES.get(template), address or user.email
    code = None if purpose is None else codes.make(memory, user, purpose, cause, to).text
    memory.mails.append(Mail(template, user.id, to, memory.now, code))


def notice(memory: Memory, user: Account, template: str, cause: UUID) -> None:
    """The same, of what its user did not ask for: none to an address that nobody has shown."""
    if user.email_verified:
        send(memory, user, template, cause)


def may_send(memory: Memory, user: Account) -> bool:
    """Whether a mail may go to the user's address; it is counted where nobody has shown that."""
    return user.email_verified or guessing.count_mail(memory, canonical(user.email) or "")


def may_send_reset(memory: Memory, user: Account) -> bool:
    """The same for a new password: to an address that was shown not without end either."""
    address = canonical(user.email) or ""
    if not user.email_verified:
        return may_send(memory, user) or guessing.count_kept(memory, address)
    is_good = codes.is_any_open(memory, user, "reset_password")
    return guessing.count_reset(memory, address, is_good=is_good)
