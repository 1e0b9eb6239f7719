"""Mails, as they would have been sent."""

from datetime import timedelta
from uuid import UUID

from authbus.testing.memory import Memory
from authbus.testing.rows import LIFETIMES, Account, Mail, derived_secret

_PAUSE = timedelta(minutes=1)
_MOST_OPEN = 5


def send(memory: Memory, user: Account, template: str, cause: UUID, address: str = "") -> Mail:
    """A mail to the user's address, unless another one is given."""
    code = derived_secret("code", template, cause) if template in LIFETIMES else None
    mail = Mail(template, user.id, address or user.email, memory.now, code)
    memory.mails.append(mail)
    return mail


def may_send(memory: Memory, user: Account, template: str) -> bool:
    """Whether another code may go out: a minute lies between two, five at most are open."""
    mine = [each for each in memory.mails if each.user_id == user.id]
    open_ = [each for each in mine if each.is_open(template, memory.now)]
    return len(open_) < _MOST_OPEN and all(each.made_at + _PAUSE <= memory.now for each in open_)


def found(memory: Memory, code: str) -> Mail | None:
    """The mail that had this code."""
    return next((each for each in memory.mails if each.code == code), None)


def spend(memory: Memory, user: Account, template: str) -> None:
    """Every code of this kind is used now."""
    for each in memory.mails:
        if (each.user_id, each.template) == (user.id, template):
            each.used = True
