"""Wrong guesses are counted, and after some of them nothing is checked for a while."""

from datetime import timedelta
from uuid import UUID

from authbus.events import UnlockReason, UserLocked, UserUnlocked
from authbus.foreign_hashes import hashes
from authbus.replies import Code
from authbus.testing.judging import normalised
from authbus.testing.memory import Memory, Refusal
from authbus.testing.rows import Account

_MEMORY = timedelta(days=1)
Key = tuple[str, str]


def admit(memory: Memory, key: Key, code: Code = Code.INVALID_CREDENTIALS) -> None:
    """Refuse unchecked, by this code, what was guessed wrong too often."""
    since = memory.now - _MEMORY
    failed = memory.failures[key] = [at for at in memory.failures.get(key, []) if at > since]
    if failed and memory.now < failed[-1] + memory.settings.wait(len(failed)):
        raise Refusal(code)


def matches(user: Account | None, password: str) -> bool:
    """Whether this is the user's password. A hash of another system is needed once."""
    given = normalised(password)
    if user is None or given is None:
        return False
    if user.foreign_hash and hashes.matches(user.foreign_hash, password):
        user.password, user.foreign_hash = given, ""
    return given == user.password


def failed(memory: Memory, key: Key) -> int:
    """One more was wrong; returns how many there are."""
    memory.failures[key].append(memory.now)
    return len(memory.failures[key])


def clear(memory: Memory, key: Key) -> None:
    """What was guessed before the right one counts no more."""
    memory.failures.pop(key, None)


def lock_after(memory: Memory, user: Account, cause: UUID, failures: int) -> None:
    """After so many, nobody logs in for a while but from devices that are known."""
    if failures < memory.settings.guesses_until_lock:
        return
    user.locked_until = memory.now + memory.settings.lock
    memory.tell(user, UserLocked, cause, actor="service", until=user.locked_until)


def unlock(
    memory: Memory, user: Account, cause: UUID, reason: UnlockReason, *, actor: str = "service"
) -> None:
    """The lock is over, and what was guessed wrong is forgotten."""
    user.locked_until = None
    forgive(memory, user)
    memory.tell(user, UserUnlocked, cause, actor=actor, reason=reason)


def forgive(memory: Memory, user: Account) -> None:
    """Forget what was guessed wrong about a user."""
    clear(memory, ("account", user.email.lower()))


def prove(memory: Memory, user: Account, password: str) -> Key:
    """Refuse unless the user who is logged in shows the password.

    Returns what is to be cleared once the command is done.
    """
    key = ("own", str(user.id))
    admit(memory, key)
    if not matches(user, password):
        failed(memory, key)
        raise Refusal(Code.INVALID_CREDENTIALS)
    return key
