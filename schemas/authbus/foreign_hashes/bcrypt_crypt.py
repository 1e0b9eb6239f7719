"""bcrypt, by the package of that name."""

import re

from authbus.foreign_hashes.scheme import within

_LEAST, _MOST = 4, 14
# What made these hashes read no further.
_READ_BYTES = 72


class Bcrypt:
    """`$2b$12$` and 53 characters; also 2a and 2y, which are the same today."""

    form = re.compile(r"\$2[aby]\$([0-9][0-9])\$[./A-Za-z0-9]{53}")

    def accepted(self, found: re.Match[str]) -> str:
        """See Scheme. The ceiling is 2^14 rounds."""
        within("bcrypt cost", int(found[1]), _LEAST, _MOST)
        return found[0]

    def matches(self, found: re.Match[str], password: bytes) -> bool:
        """See Scheme. Only the first 72 bytes count, as where the hash was made.

        Needs the package `bcrypt`.
        """
        import bcrypt  # noqa: PLC0415 - whoever checks none needs no package

        return bcrypt.checkpw(password[:_READ_BYTES], found[0].encode())
