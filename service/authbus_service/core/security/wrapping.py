"""Secrets that outlive the command that made them: encrypted in their row under a master key.

AES-SIV (RFC 5297) needs no nonce: the same secret is wrapped the same, so that a row can be made
again from its event. In front stands the name of the master, since one may leave the list.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from authbus_service.core.security.masters import MasterKeyError, Masters

_NAME_BYTES = 4


def wrap(masters: Masters, purpose: str, secret: bytes, *, context: bytes) -> bytes:
    """The secret under the current master; `context` is whose it is, and must be the same again."""
    name = bytes.fromhex(masters.current)
    return name + _cipher(masters, purpose, masters.current).encrypt(secret, [context])


def unwrap(masters: Masters, purpose: str, wrapped: bytes, *, context: bytes) -> bytes:
    """The secret. Raises MasterKeyError when its master is not in the list or it was altered."""
    name, sealed = wrapped[:_NAME_BYTES].hex(), wrapped[_NAME_BYTES:]
    try:
        return _cipher(masters, purpose, name).decrypt(sealed, [context])
    except InvalidTag:
        raise MasterKeyError(
            "a wrapped secret was altered, or is not whose it was. Restore its row from a backup"
        ) from None


def _cipher(masters: Masters, purpose: str, master: str) -> AESSIV:
    halves = (masters.derive(f"wrap/{purpose}", half, master=master) for half in (b"1", b"2"))
    return AESSIV(b"".join(halves))
