"""Record keys for commands that have no id yet: the same address goes one lane, unreadably."""

import hmac
import secrets
from hashlib import sha256

_SECRET_BYTES = 32


class Lanes:
    """Keys from addresses under a secret. Clients that share the secret share the lanes."""

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret or secrets.token_bytes(_SECRET_BYTES)

    def key(self, email: str) -> str:
        """The record key for commands about this address."""
        return hmac.digest(self._secret, _folded(email), sha256).hex()


def _folded(email: str) -> bytes:
    return email.strip().casefold().encode(errors="surrogatepass")
