"""Wrong guesses are counted, and after some of them nothing is checked for a while."""

from datetime import datetime, timedelta
from uuid import UUID

from authbus.addresses import canonical, mailbox
from authbus.events import UnlockReason, UserLocked, UserUnlocked
from authbus.foreign_hashes import hashes
from authbus.ip_networks import network_of
from authbus.replies import Code
from authbus.testing.judging import normalised
from authbus.testing.memory import Memory, Refusal
from authbus.testing.rows import Account, Guess

_MEMORY, _SOURCE_MEMORY = timedelta(days=1), timedelta(hours=1)
_MOST_IN_A_ROW = 100
_MOST_MAILS, _KEPT_MAILS, _PAUSE = 5, 2, timedelta(minutes=1)
Key = tuple[str, str]


def source(address: str | None, of: str = "guess") -> str | None:
    """What a guess from an address, or a request for a mail, counts against besides its key."""
    return None if address is None else f"{of} {network_of(address)}"


def is_admitted(memory: Memory, guess: Guess) -> bool:
    """Whether it is looked at, or refused unchecked."""
    since = memory.now - _SOURCE_MEMORY
    here = [each for each in memory.wrong if each.source and each.source == guess.source]
    if sum(each.at > since for each in here) >= memory.settings.guesses_per_source:
        return False
    if guess.key[0] == "factor" and _in_a_row(memory, guess.key) >= _MOST_IN_A_ROW:
        return False
    failed = _failed(memory, guess.key)
    return not failed or memory.now >= failed[-1] + memory.settings.wait(len(failed))


def admit(memory: Memory, guess: Guess, code: Code = Code.INVALID_CREDENTIALS) -> None:
    """Refuse unchecked, by this code, what was guessed wrong too often."""
    if not is_admitted(memory, guess):
        raise Refusal(code)


def matches(user: Account | None, password: str) -> bool:
    """Whether this is the user's password. A hash of another system is needed once."""
    given = normalised(password)
    if user is None or given is None:
        return False
    if user.foreign_hash and hashes.matches(user.foreign_hash, password):
        user.password, user.foreign_hash = given, ""
    return given == user.password


def fail(memory: Memory, guess: Guess) -> int:
    """It was wrong; returns how many are counted."""
    memory.wrong.append(guess)
    return len(_failed(memory, guess.key))


def clear(memory: Memory, key: Key) -> None:
    """What was guessed before the right one counts no more."""
    for each in memory.wrong:
        each.counts &= each.key != key


def keys(user: Account) -> list[Key]:
    """All under which guesses at a user are counted."""
    id_, address = str(user.id), canonical(user.email) or ""
    places = [("account", address)] if address else []
    devices = [("device", each) for each in user.devices]
    return [*places, *devices, ("own", id_), ("factor", id_), ("own factor", id_)]


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
    """What was guessed wrong about a user counts no more."""
    for each in memory.wrong:
        each.counts &= each.about != user.id


def prove(memory: Memory, user: Account, password: str) -> Key:
    """Refuse unless the user who is logged in shows the password.

    Returns what is to be cleared once the command is done.
    """
    guess = Guess(("own", str(user.id)), memory.now, about=user.id)
    admit(memory, guess)
    if not matches(user, password):
        fail(memory, guess)
        raise Refusal(Code.INVALID_CREDENTIALS)
    return guess.key


def count_registration(memory: Memory, address: str | None) -> None:
    """Refuse one more account for who is at this place, or count it."""
    here = source(address, "register")
    if here is None:
        return
    if _lately(memory, ("place", here), _SOURCE_MEMORY) >= memory.settings.guesses_per_source:
        raise Refusal(Code.TOO_SOON)
    memory.wrong.append(Guess(("place", here), memory.now))


def count_mail(memory: Memory, canonical: str) -> bool:
    """Whether one more mail may go to a mailbox that is nobody's yet; it is counted then."""
    may = _may_mail(memory, canonical)
    if may:
        memory.wrong.append(Guess(("mailbox", mailbox(canonical)), memory.now))
    return may


def count_reset(memory: Memory, canonical: str, *, is_good: bool) -> bool:
    """The same of an address that its user has shown; beyond a few while no code `is_good`."""
    key = ("address", canonical)
    may = not is_good or _lately(memory, key, _MEMORY) < _MOST_MAILS
    if may:
        memory.wrong.append(Guess(key, memory.now))
    return may


def count_kept(memory: Memory, canonical: str) -> bool:
    """Whether one more goes to a mailbox's plain address, whatever went there; it is counted."""
    key = ("address", canonical)
    is_plain = mailbox(canonical) == canonical
    may = is_plain and _lately(memory, key, _MEMORY) < _KEPT_MAILS
    if may:
        memory.wrong.append(Guess(key, memory.now))
    return may


def count_change(memory: Memory, user: Account, canonical: str) -> None:
    """Refuse a user who asks for one more address, be it free or taken, or count it."""
    asker = ("change", str(user.id))
    lately, a_day = (_lately(memory, asker, within) for within in (_PAUSE, _MEMORY))
    if lately or a_day >= _MOST_MAILS or not _may_mail(memory, canonical):
        raise Refusal(Code.TOO_SOON)
    memory.wrong.append(Guess(asker, memory.now))


def _may_mail(memory: Memory, canonical: str) -> bool:
    return _lately(memory, ("mailbox", mailbox(canonical)), _MEMORY) < _MOST_MAILS


def _lately(memory: Memory, key: Key, within: timedelta) -> int:
    since = memory.now - within
    return sum(each.key == key and each.at > since for each in memory.wrong)


def _in_a_row(memory: Memory, key: Key) -> int:
    return sum(each.key == key and each.counts for each in memory.wrong)


def _failed(memory: Memory, key: Key) -> list[datetime]:
    since = memory.now - _MEMORY
    return [each.at for each in memory.wrong if each.key == key and each.counts and each.at > since]
