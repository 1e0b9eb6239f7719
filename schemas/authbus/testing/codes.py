"""One-time codes: made, found by their text, and used."""

from datetime import timedelta
from uuid import UUID

from pydantic import SecretStr

from authbus.replies import Code
from authbus.testing.memory import Memory, Refusal
from authbus.testing.rows import LIFETIMES, Account, OneTimeCode, derived_secret

_PAUSE = timedelta(minutes=1)
_MOST_OPEN = 5


def make(
    memory: Memory, user: Account, purpose: str, cause: UUID, address: str = ""
) -> OneTimeCode:
    """A code that this command makes."""
    code = OneTimeCode(
        text=derived_secret("code", purpose, cause),
        purpose=purpose,
        user_id=user.id,
        address=address,
        made_at=memory.now,
        expires_at=memory.now + LIFETIMES[purpose],
        password_version=user.password_version if purpose == "log_in" else 0,
    )
    memory.codes[code.text] = code
    return code


def may_make(memory: Memory, user: Account, purpose: str) -> bool:
    """Whether another mail may go out: a minute lies between two, five codes at most are open."""
    open_ = [each for each in of(memory, user) if each.is_open(purpose, memory.now)]
    return len(open_) < _MOST_OPEN and all(each.made_at + _PAUSE <= memory.now for each in open_)


def is_any_open(memory: Memory, user: Account, purpose: str) -> bool:
    """Whether a code of a mail is still good."""
    return any(each.is_open(purpose, memory.now) for each in of(memory, user))


def of(memory: Memory, user: Account) -> list[OneTimeCode]:
    """All that this user ever had."""
    return [each for each in memory.codes.values() if each.user_id == user.id]


def found(memory: Memory, text: SecretStr, refusal: Code) -> tuple[OneTimeCode, Account]:
    """The code, open or not, and its user. Refuses where there is none who is active."""
    code = memory.codes.get(text.get_secret_value())
    if code is None or not memory.users[code.user_id].is_active:
        raise Refusal(refusal)
    return code, memory.users[code.user_id]


def spend(memory: Memory, user: Account, purpose: str) -> None:
    """Every code of this purpose is used now."""
    for each in of(memory, user):
        if each.purpose == purpose and each.used_at is None:
            each.used_at = memory.now


def spend_with_password(memory: Memory, user: Account) -> None:
    """What whoever had the old password may have asked for is void with it."""
    for purpose in ("reset_password", "change_email"):
        spend(memory, user, purpose)
