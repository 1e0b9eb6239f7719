"""Record keys for commands that have no id yet: the same address goes one lane, unreadably."""

import hmac
import secrets
from hashlib import sha256

_SECRET_BYTES = 32


class Lanes:
    """Keys from addresses under a secret. Clients that share the secret share the lanes."""

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret or secrets.token_bytes(_SECRET_BYTES)

    def key(self, about: str) -> str:
        """The record key for commands about this address, or by this token."""
        return hmac.digest(self._secret, _folded(about), sha256).hex()


def _folded(about: str) -> bytes:
    return about.strip().casefold().encode(errors="surrogatepass")
