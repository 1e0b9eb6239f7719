"""Firebase's scrypt: the project's signer key, encrypted by AES-CTR under a key of the password.

The signer key is another system's secret and is not kept. What is kept is the key stream, which is
the hash without it: whoever has the password makes the same stream.
"""

import hmac
import re

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

from authbus.foreign_hashes.scheme import RefusedHashError, decoded, encoded
from authbus.foreign_hashes.scrypt_texts import checked, derived

_KEY_BYTES = 32
_ZERO_NONCE = bytes(16)
_COST = r"v=1,n=([0-9]{1,2}),r=([0-9]{1,9}),p=([0-9]{1,9})"
_B64 = r"[A-Za-z0-9+/_-]+=*"


class Firebase:
    """`$fbscrypt$v=1,n=14,r=8,p=1,ss=separator,sk=signer$salt$hash`: n is memcost, r is rounds."""

    form = re.compile(rf"\$fbscrypt\${_COST},ss=({_B64}),sk=({_B64})\$({_B64})\$({_B64})")

    def accepted(self, found: re.Match[str]) -> str:
        """See Scheme; the text to store is of `FirebaseStream`."""
        checked(*_cost(found))
        signer, hashed = (
            decoded("signer key", found[5], 16, 128),
            decoded("hash", found[7], 16, 128),
        )
        if len(signer) != len(hashed):
            raise RefusedHashError("hash: as long as the signer key")
        salt = decoded("salt", found[6], 1, 64) + decoded("salt separator", found[4], 1, 64)
        stream = bytes(one ^ other for one, other in zip(signer, hashed, strict=True))
        cost = "n={},r={},p={}".format(*found.group(1, 2, 3))
        return f"$fbscrypt-stream$v=1,{cost}${encoded(salt)}${encoded(stream)}"

    def matches(self, found: re.Match[str], password: bytes) -> bool:
        """Never: this form is not stored."""
        del found, password
        return False


class FirebaseStream:
    """What is stored: salt and separator together, and the key stream."""

    form = re.compile(rf"\$fbscrypt-stream\${_COST}\$({_B64})\$({_B64})")

    def accepted(self, found: re.Match[str]) -> str:
        """See Scheme. It is our own form and comes from nowhere else."""
        del found
        raise RefusedHashError("no known form of a hash")

    def matches(self, found: re.Match[str], password: bytes) -> bool:
        """See Scheme."""
        exponent, block, lanes = _cost(found)
        salt, stream = decoded("salt", found[4], 1, 128), decoded("stream", found[5], 16, 128)
        key = derived(password, salt, exponent=exponent, block=block, lanes=lanes, size=_KEY_BYTES)
        cipher = Cipher(AES256(key), CTR(_ZERO_NONCE)).encryptor()
        return hmac.compare_digest(cipher.update(bytes(len(stream))), stream)


def _cost(found: re.Match[str]) -> tuple[int, int, int]:
    return int(found[1]), int(found[2]), int(found[3])
