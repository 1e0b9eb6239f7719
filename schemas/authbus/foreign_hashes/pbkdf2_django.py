"""PBKDF2 as Django writes it."""

import hashlib
import hmac
import re

from authbus.foreign_hashes.scheme import decoded, within

_MOST = 2_000_000
_DIGESTS = {"sha256": 32, "sha1": 20}


class Pbkdf2:
    """`pbkdf2_sha256$600000$salt$tag`: rounds, a salt in plain text, base64; also with SHA-1."""

    form = re.compile(r"pbkdf2_(sha256|sha1)\$([0-9]{1,9})\$([!-#%-~]{1,128})\$([A-Za-z0-9+/]+=*)")

    def accepted(self, found: re.Match[str]) -> str:
        """See Scheme. The ceiling is 2,000,000 rounds."""
        within("pbkdf2 rounds", int(found[2]), 1, _MOST)
        size = _DIGESTS[found[1]]
        decoded("pbkdf2 tag", found[4], size, size)
        return found[0]

    def matches(self, found: re.Match[str], password: bytes) -> bool:
        """See Scheme."""
        made = hashlib.pbkdf2_hmac(found[1], password, found[3].encode(), int(found[2]))
        return hmac.compare_digest(made, decoded("tag", found[4], len(made), len(made)))
