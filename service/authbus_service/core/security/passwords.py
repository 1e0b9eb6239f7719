"""Passwords: how one is written before it is hashed, and one cost for every answer."""

import secrets
import unicodedata
from dataclasses import dataclass

from authbus.foreign_hashes import hashes as foreign
from authbus.foreign_hashes.scheme import RefusedHashError
from authbus_service.core.logging import get_logger
from authbus_service.core.security.argon2id import (
    SALT_BYTES,
    Cost,
    Reference,
    UnreadableHashError,
    choose,
)
from authbus_service.core.security.library import Library

MAX_BYTES = 1024

_log = get_logger(__name__)
_ARGON2 = "$argon2"
# NFC makes two bytes of three code points at best, so more than these are always too many.
_MAX_CODE_POINTS = MAX_BYTES * 3 // 2


def normalised(password: str) -> bytes | None:
    """A password as it is hashed (RFC 8265, OpaqueString), or None when it cannot be one.

    Every space becomes U+0020, then NFC; no folding, no cutting. None: more than 1,024 bytes
    afterwards, or a lone surrogate.
    """
    if len(password) > _MAX_CODE_POINTS:
        return None
    if password.isascii():
        encoded = password.encode()
    else:
        try:
            encoded = unicodedata.normalize("NFC", _spaced(password)).encode()
        except UnicodeEncodeError:
            return None
    return encoded if len(encoded) <= MAX_BYTES else None


def _spaced(password: str) -> str:
    return "".join(" " if unicodedata.category(char) == "Zs" else char for char in password)


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a password was right; if so, whether its hash should be made anew at today's cost."""

    ok: bool
    rehash_needed: bool = False


class Hasher:
    """Makes and checks hashes in the calling thread, by the engine that was chosen at start.

    No account, an empty password and one that is too long cost what a wrong password costs. A hash
    made at another cost is checked at its own.
    """

    def __init__(self, cost: Cost, compiled: Library | None = None) -> None:
        """Choose the engine (some hashes long) and make the hash of nobody's account."""
        self._reference = Reference(cost)
        self._engine, self.rate = choose(cost, compiled)
        self._nobody = self._engine.hash(secrets.token_bytes(), secrets.token_bytes(SALT_BYTES))
        self._never = secrets.token_bytes()

    @property
    def engine(self) -> str:
        """The chosen engine's name; `rate` is its hashes a second in one thread."""
        return self._engine.name

    def hash(self, password: str, salt: bytes | None = None) -> str:
        """A PHC string; a random salt unless 16 bytes are given.

        Raises ValueError for a password that `normalised` refuses.
        """
        encoded = normalised(password)
        if encoded is None:
            raise ValueError("not a password that can be hashed")
        return self._engine.hash(encoded, salt or secrets.token_bytes(SALT_BYTES))

    def verify(self, phc: str | None, password: str) -> Verified:
        """Check a password against an account's hash; None: no such account, empty: it has none.

        A hash from elsewhere is checked at its own cost and should be made anew. A stored text
        that is no hash refuses at the cost of a wrong password and is logged.
        """
        encoded = normalised(password)
        if phc and not phc.startswith(_ARGON2):
            return self._verify_foreign(phc, password, fits=encoded is not None)
        hashed = phc or self._nobody
        try:
            matches = self._engine.matches(hashed, self._never if encoded is None else encoded)
        except UnreadableHashError:
            matches = self._unreadable()
        if not phc or encoded is None or not matches:
            return Verified(ok=False)
        return Verified(ok=True, rehash_needed=self._reference.outdated(phc))

    def _verify_foreign(self, text: str, password: str, *, fits: bool) -> Verified:
        try:
            matches = foreign.matches(text, password if fits else "")
        except RefusedHashError:
            matches = self._unreadable()
        return Verified(ok=matches and fits, rehash_needed=matches and fits)

    def _unreadable(self) -> bool:
        _log.error("a stored password hash cannot be read")
        self._engine.matches(self._nobody, self._never)
        return False
