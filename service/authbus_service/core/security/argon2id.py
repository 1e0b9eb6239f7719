"""Argon2id by several engines, each of which must agree with the first before it is used.

argon2-cffi is the reference; its wheel holds the code of the oldest processors. libsodium picks by
the processor at hand, and so does what was compiled here. Both are used for one lane alone.
"""

import base64
import hmac
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from nacl.exceptions import CryptoError

from authbus_service.core.security.library import Library, Tag
from authbus_service.core.security.sodium.library import load as sodium

SALT_BYTES = 16
TAG_BYTES = 32
_LEAST_TAG_BYTES = 16
_LEAST_KIB = 8
_NO_MEMORY = "Memory allocation error"
_ROUNDS = 3
_COMPARED_KIB = 4096
_CLEARLY = 1.1
_LEAST_SECONDS = 1e-6
_PHC = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")


class UnreadableHashError(ValueError):
    """A stored hash is not one of argon2's; its text is not repeated."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Argon2's parameters: KiB of memory, passes, lanes."""

    memory_kib: int
    time: int
    parallelism: int = 1


class Engine(Protocol):
    """One implementation of argon2id, safe to use from many threads."""

    name: str

    def hash(self, password: bytes, salt: bytes) -> str:
        """A PHC string at the engine's own cost; the salt has 16 bytes."""
        ...

    def matches(self, phc: str, password: bytes) -> bool:
        """Whether the password made this hash, at the hash's own cost.

        Raises UnreadableHashError.
        """
        ...


class Reference:
    """argon2-cffi."""

    name = "argon2-cffi"

    def __init__(self, cost: Cost) -> None:
        """An engine that hashes at this cost."""
        self._hasher = PasswordHasher(
            time_cost=cost.time,
            memory_cost=cost.memory_kib,
            parallelism=cost.parallelism,
            hash_len=TAG_BYTES,
            salt_len=SALT_BYTES,
        )

    def hash(self, password: bytes, salt: bytes) -> str:
        """See Engine."""
        return self._hasher.hash(password, salt=salt)

    def matches(self, phc: str, password: bytes) -> bool:
        """See Engine."""
        try:
            return self._hasher.verify(phc, password)
        except VerifyMismatchError:
            return False
        except (InvalidHashError, VerificationError) as error:
            if str(error) == _NO_MEMORY:
                raise MemoryError from None
            raise UnreadableHashError("a stored password hash is not argon2's") from None

    def outdated(self, phc: str) -> bool:
        """Whether a hash was made at another cost than this engine's."""
        return self._hasher.check_needs_rehash(phc)


class OneLane:
    """Another implementation, for hashes of one lane; all else is the reference's."""

    def __init__(self, name: str, tag: Tag, cost: Cost, reference: Reference) -> None:
        """An engine that hashes at this cost, which must have one lane."""
        self.name = name
        self._raw = tag
        self._cost = cost
        self._reference = reference

    def hash(self, password: bytes, salt: bytes) -> str:
        """See Engine."""
        cost = self._cost
        tag = self._raw(password, salt, cost.memory_kib, cost.time, TAG_BYTES)
        costs = f"m={cost.memory_kib},t={cost.time},p=1"
        return f"$argon2id$v=19${costs}${_encoded(salt)}${_encoded(tag)}"

    def matches(self, phc: str, password: bytes) -> bool:
        """See Engine."""
        found = _PHC.fullmatch(phc)
        if found is None:
            return self._reference.matches(phc, password)
        memory_kib, passes = int(found[1]), int(found[2])
        try:
            salt, tag = _decoded(found[3]), _decoded(found[4])
        except ValueError:
            raise UnreadableHashError("a stored password hash is not argon2's") from None
        ours = len(salt) == SALT_BYTES and len(tag) >= _LEAST_TAG_BYTES
        if not ours or memory_kib < _LEAST_KIB:
            return self._reference.matches(phc, password)
        return hmac.compare_digest(self._raw(password, salt, memory_kib, passes, len(tag)), tag)


def choose(cost: Cost, compiled: Library | None = None) -> tuple[Engine, float]:
    """The engine to use, and how many hashes a second one core makes with it.

    The fastest of those that agree; another one than the reference unless it is clearly slower.
    They are compared with little memory: what the reference frees, its process may keep.
    """
    one_lane = cost.parallelism == 1
    libraries = [sodium(cost.memory_kib), *([compiled] if compiled else [])] if one_lane else []
    less = replace(cost, memory_kib=min(_COMPARED_KIB, cost.memory_kib))
    first, *others = _engines(less, libraries)
    compared = [first, *(each for each in others if agree(first, each))]
    chosen, *rates = zip(compared, _rates(compared, less), strict=True)
    for each in rates:
        if each[1] * _CLEARLY > chosen[1]:
            chosen = each
    (engine,) = (each for each in _engines(cost, libraries) if each.name == chosen[0].name)
    (rate,) = _rates([engine], cost)
    return engine, rate


def _engines(cost: Cost, libraries: Sequence[Library]) -> list[Engine]:
    reference = Reference(cost)
    return [reference, *(OneLane(each.name, each.tag, cost, reference) for each in libraries)]


# Made once by argon2-cffi at m=64, t=2, p=1 and held against OpenSSL's argon2id in the tests.
KNOWN_PASSWORD = "correct horse battery stäple".encode()
KNOWN_SALT = bytes(range(SALT_BYTES))
KNOWN = (
    "$argon2id$v=19$m=64,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$aukIufOFLQqi7xl/iMfwYKOe5dHmJXo6dOcariPTSmY"
)


def agree(reference: Engine, other: Engine) -> bool:
    """Whether both make the same hash now, and take and refuse the known one alike."""
    wrong = KNOWN_PASSWORD + b"!"
    try:
        same = reference.hash(KNOWN_PASSWORD, KNOWN_SALT) == other.hash(KNOWN_PASSWORD, KNOWN_SALT)
        return same and all(
            each.matches(KNOWN, KNOWN_PASSWORD) and not each.matches(KNOWN, wrong)
            for each in (reference, other)
        )
    except (CryptoError, ValueError, MemoryError):
        return False


def _rates(engines: Sequence[Engine], cost: Cost) -> list[float]:
    """Hashes a second of each; in turns, so that a slow spell of the machine is everybody's."""
    rounds = [[_seconds(each, cost) for each in engines] for _ in range(_ROUNDS)]
    return [1 / max(_LEAST_SECONDS, min(taken)) for taken in zip(*rounds, strict=True)]


def _seconds(engine: Engine, cost: Cost) -> float:
    # The thread's own time: other load at start must not decide. More lanes are more threads.
    clock = time.thread_time if cost.parallelism == 1 else time.perf_counter
    before = clock()
    engine.hash(KNOWN_PASSWORD, KNOWN_SALT)
    return clock() - before


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
