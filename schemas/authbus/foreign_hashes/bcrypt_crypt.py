"""bcrypt, by the package of that name."""

import re

from authbus.foreign_hashes.scheme import within

_LEAST, _MOST = 4, 14
# What made these hashes read no further.
_READ_BYTES = 72
_DIGITS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
# The last letter of the salt holds four bits that nothing reads, that of the hash two. Some systems
# wrote what they liked there; the package takes zeros alone.
_SALT_UNREAD, _HASH_UNREAD = 0b1111, 0b11


class Bcrypt:
    """`$2b$12$` and 53 characters; also 2a and 2y, which are the same today."""

    form = re.compile(r"\$2[aby]\$([0-9][0-9])\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})")

    def accepted(self, found: re.Match[str]) -> str:
        """See Scheme. The ceiling is 2^14 rounds."""
        within("bcrypt cost", int(found[1]), _LEAST, _MOST)
        return _cleared(found)

    def matches(self, found: re.Match[str], password: bytes) -> bool:
        """See Scheme. Only the first 72 bytes count, as where the hash was made.

        Needs the package `bcrypt`.
        """
        import bcrypt  # noqa: PLC0415 - whoever checks none needs no package

        return bcrypt.checkpw(password[:_READ_BYTES], _cleared(found).encode())


def _cleared(found: re.Match[str]) -> str:
    """The text with zeros for all bits that are not read."""
    start = found[0][: found.start(2)]
    return start + _zeroed(found[2], _SALT_UNREAD) + _zeroed(found[3], _HASH_UNREAD)


def _zeroed(text: str, unread: int) -> str:
    return text[:-1] + _DIGITS[_DIGITS.index(text[-1]) & ~unread]
