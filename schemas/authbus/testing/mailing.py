"""Mails, as they would have been sent."""

from uuid import UUID

from authbus.testing import codes
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
