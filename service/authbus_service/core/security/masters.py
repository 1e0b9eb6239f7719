"""Master keys, and all that is derived from them: ids, tokens, key pairs. Nothing here is stored.

A derivation is HMAC-SHA256 under a key of its purpose, which is HKDF of a master. The same command
therefore yields the same ids and the same tokens, on any machine and after any restore.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from authbus import base64url
from authbus.signing import thumbprint
from authbus_service.core.ids import derived_id

_BYTES = 32
_DISTINCT_BYTES = 16
_NAME_BYTES = 4
_SALT = b"authbus.v1"
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_WIDE = 48
_HEX = re.compile(r"[0-9a-fA-F]+")


class MasterKeyError(ValueError):
    """A master key is missing, weak, unreadable, or not the one that is asked for."""


class MissingMasterError(MasterKeyError):
    """A master key that something lies under is not in the list of this process."""


def parse_masters(text: str) -> list[bytes]:
    """The master keys in a text: current, then previous ones; commas or lines between them.

    Each is base64, base64url or hex. Raises MasterKeyError when one is not, is shorter than 32
    bytes, is plainly not random, or is there twice.
    """
    lines = (line.partition("#")[0] for line in text.splitlines())
    written = [part.strip() for line in lines for part in line.split(",") if part.strip()]
    if not written:
        raise MasterKeyError(f"the master key is empty. {_CURE}")
    keys = [_decoded(part) for part in written]
    if len(set(keys)) < len(keys):
        raise MasterKeyError("a master key is listed twice. Leave one")
    return keys


_CURE = "Make one with: authbus keys new"


def _decoded(part: str) -> bytes:
    try:
        if _HEX.fullmatch(part):
            key = bytes.fromhex(part)
        else:
            standard = part.rstrip("=").replace("-", "+").replace("_", "/")
            key = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise MasterKeyError(f"a master key is neither base64 nor hex. {_CURE}") from None
    if len(key) < _BYTES:
        raise MasterKeyError(f"a master key is shorter than {_BYTES} bytes. {_CURE}")
    if len(set(key)) < _DISTINCT_BYTES:
        raise MasterKeyError(f"a master key is not random. {_CURE}")
    return key


def _hkdf(key: bytes, info: str, length: int = _BYTES) -> bytes:
    return HKDF(SHA256(), length, salt=_SALT, info=info.encode()).derive(key)


def _encoded(parts: Sequence[bytes]) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


class Masters:
    """The masters, current first. `names` are short public ids, stored beside what each made."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Masters from keys as `parse_masters` returns them; at least one."""
        self._keys = {_hkdf(key, "name", _NAME_BYTES).hex(): key for key in keys}
        self._purposes: dict[tuple[str, str], bytes] = {}
        self.names = tuple(self._keys)
        if not keys or len(self.names) < len(keys):
            raise MasterKeyError(f"master keys must be there and must differ. {_CURE}")
        self.current = self.names[0]

    def __repr__(self) -> str:
        """Names alone."""
        return f"Masters({', '.join(self.names)})"

    def __reduce__(self) -> NoReturn:
        """Refused, so that no cache or queue ever writes a master down."""
        raise TypeError("masters are not pickled")

    @classmethod
    def read(cls, key: SecretStr | None, file: Path | None) -> "Masters":
        """From a text or a file of it. Raises MasterKeyError when neither is given or good."""
        if key is not None:
            return cls(parse_masters(key.get_secret_value()))
        if file is None:
            raise MasterKeyError(
                f"AUTHBUS_MASTER_KEY_FILE or AUTHBUS_MASTER_KEY is needed. {_CURE}"
            )
        try:
            text = file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not plain text"
            raise MasterKeyError(
                f"the master key's file {file} cannot be read: {reason}. "
                "Is AUTHBUS_MASTER_KEY_FILE right, and may this user read it?"
            ) from None
        return cls(parse_masters(text))

    def derive(self, purpose: str, *parts: bytes, master: str | None = None) -> bytes:
        """32 bytes that only this purpose, these parts and this master (the current one) give."""
        return hmac.digest(self._purpose_key(purpose, master), _encoded(parts), "sha256")

    def content_digest(self, canonical: bytes, master: str | None = None) -> bytes:
        """What the inbox keeps of a command's content, in its one canonical form."""
        return self.derive("content", canonical, master=master)

    def id(self, kind: str, cause: UUID, *parts: bytes, master: str | None = None) -> UUID:
        """The id of this kind that only this cause, these parts and this master give."""
        secret = self.derive(f"id/{kind}", cause.bytes, *parts, master=master)
        return derived_id(cause, secret)

    def lapse_id(self, session_id: UUID, over_at: bytes) -> UUID:
        """What an end is caused by that no command asks for."""
        return self.id("lapse", session_id, over_at)

    def code(
        self, purpose: str, command_id: UUID, content: bytes, master: str | None = None
    ) -> str:
        """The one-time code of this purpose that a command's mail carries: 256 bits, base64url."""
        code = self.derive(f"code/{purpose}", command_id.bytes, content, master=master)
        return base64url.encode(code)

    def root_key(self, master: str | None = None) -> Ed25519PrivateKey:
        """The key that signs the records of auth.state.keys.v1."""
        return Ed25519PrivateKey.from_private_bytes(_hkdf(self._key(master), "root"))

    def root_thumbprint(self, master: str | None = None) -> str:
        """What clients pin as `trust=`."""
        return thumbprint(self.root_key(master).public_key())

    def operator_key(self, master: str | None = None) -> Ed25519PrivateKey:
        """The key that signs what the operators' command line asks."""
        return Ed25519PrivateKey.from_private_bytes(_hkdf(self._key(master), "operator"))

    def signing_key(self, kid: str, master: str | None = None) -> Ed25519PrivateKey:
        """The key that signs access tokens under this kid."""
        return Ed25519PrivateKey.from_private_bytes(_hkdf(self._key(master), f"sig/{kid}"))

    def sealing_key(self, kid: str, master: str | None = None) -> ec.EllipticCurvePrivateKey:
        """The P-256 key to which commands are sealed under this kid."""
        wide = int.from_bytes(_hkdf(self._key(master), f"enc/{kid}", _WIDE), "big")
        return ec.derive_private_key(wide % (_P256_ORDER - 1) + 1, ec.SECP256R1())

    def _key(self, master: str | None) -> bytes:
        try:
            return self._keys[master or self.current]
        except KeyError:
            raise MissingMasterError(
                f"master key {master} is not in the list ({', '.join(self.names)}). "
                "Add the previous master key behind the current one"
            ) from None

    def _purpose_key(self, purpose: str, master: str | None) -> bytes:
        name = master or self.current
        key = self._purposes.get((name, purpose))
        if key is None:
            key = self._purposes[name, purpose] = _hkdf(self._key(name), f"hmac/{purpose}")
        return key


def token_hash(token: str) -> bytes:
    """SHA-256 of a token: what its row holds. A token of 256 random bits needs no slower hash."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
