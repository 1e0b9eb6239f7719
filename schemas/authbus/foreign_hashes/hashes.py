"""The table of foreign schemes: which hash is taken, and whether a password made it."""

import re

from authbus.foreign_hashes.argon2_phc import Argon2
from authbus.foreign_hashes.bcrypt_crypt import Bcrypt
from authbus.foreign_hashes.firebase import Firebase, FirebaseStream
from authbus.foreign_hashes.pbkdf2_django import Pbkdf2
from authbus.foreign_hashes.scheme import RefusedHashError, Scheme
from authbus.foreign_hashes.scrypt_texts import DjangoScrypt, PhcScrypt

_SCHEMES: tuple[Scheme, ...] = (
    Argon2(),
    Bcrypt(),
    Pbkdf2(),
    DjangoScrypt(),
    PhcScrypt(),
    Firebase(),
    FirebaseStream(),
)
_LONGEST = 1024
_LONGEST_PASSWORD = 1024


def accepted(text: str) -> str:
    """The text to store for a hash from elsewhere; nothing is hashed.

    Raises RefusedHashError when it has no known form or costs more to verify than is allowed.
    """
    scheme, found = _read(text)
    return scheme.accepted(found)


def matches(text: str, password: str) -> bool:
    """Whether this password made a stored foreign hash.

    The password is taken as it was typed: the systems that made these hashes changed nothing in
    it. Raises RefusedHashError for a text of no known form, and for one that cannot be checked.
    """
    scheme, found = _read(text)
    try:
        raw = password.encode()
    except UnicodeEncodeError:
        return False
    try:
        return len(raw) <= _LONGEST_PASSWORD and scheme.matches(found, raw)
    except ValueError:
        raise RefusedHashError("a hash that cannot be checked: have a new password set") from None


def _read(text: str) -> tuple[Scheme, re.Match[str]]:
    if len(text) <= _LONGEST:
        for scheme in _SCHEMES:
            found = scheme.form.fullmatch(text)
            if found is not None:
                return scheme, found
    raise RefusedHashError("no known form of a hash")
