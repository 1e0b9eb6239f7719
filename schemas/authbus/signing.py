"""Signatures: compact JWS with EdDSA over Ed25519, for public keys and access tokens.

Made here and not by joserfc, which warns of the name EdDSA that the tokens of today carry.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from nacl.bindings import crypto_sign_BYTES, crypto_sign_open
from nacl.exceptions import BadSignatureError

from authbus import base64url
from authbus.strict_json import read_json

LARGEST = 16384
_DEPTH = 8
_HEADERS = 64


class SignatureError(ValueError):
    """No JWS of ours, or not signed by this key."""

    def __init__(self) -> None:
        super().__init__("not signed by this key")


@dataclass(frozen=True, slots=True)
class Signed:
    """A JWS taken apart and not yet believed: `verify` comes first."""

    header: Mapping[str, Any]
    body: dict[str, Any]
    signature: bytes
    signed: bytes

    def verify(self, key: Ed25519PublicKey) -> None:
        """Raise SignatureError unless `key` signed exactly this."""
        # libsodium needs half the time that OpenSSL does. It takes both in one piece: a signature
        # of another length would move the border between them.
        if len(self.signature) != crypto_sign_BYTES:
            raise SignatureError
        try:
            crypto_sign_open(self.signature + self.signed, key.public_bytes_raw())
        except BadSignatureError:
            raise SignatureError from None


def sign(header: Mapping[str, Any], body: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """The compact JWS of `body`; `alg` is set here."""
    parts = ({"alg": "EdDSA", **header}, body)
    signed = ".".join(base64url.encode(canonical(part)) for part in parts)
    return f"{signed}.{base64url.encode(key.sign(signed.encode()))}"


def take_apart(token: str) -> Signed:
    """The parts of a compact JWS whose algorithm is EdDSA. Raises SignatureError for any other."""
    parts = token.split(".") if len(token) <= LARGEST else []
    try:
        header, body, signature = parts
        return Signed(
            _header(header),
            read_json(base64url.decode(body), max_depth=_DEPTH),
            base64url.decode(signature),
            f"{header}.{body}".encode(),
        )
    except ValueError:
        raise SignatureError from None


@lru_cache(maxsize=_HEADERS)
def _header(text: str) -> Mapping[str, Any]:
    """What the header of a token of ours says: that of each key is always the same text."""
    found = read_json(base64url.decode(text), max_depth=_DEPTH)
    if found.get("alg") != "EdDSA" or "crit" in found:
        raise SignatureError
    return MappingProxyType(found)


def canonical(data: Mapping[str, Any]) -> bytes:
    """The one form of JSON that is signed: sorted keys, no spaces, ASCII."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def public_jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """The public OKP JWK of an Ed25519 key."""
    return {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(key.public_bytes_raw())}


def public_key(jwk: Mapping[str, Any]) -> Ed25519PublicKey:
    """The key of a public OKP JWK. Raises SignatureError for any other."""
    try:
        if (jwk["kty"], jwk["crv"]) != ("OKP", "Ed25519") or "d" in jwk:
            raise SignatureError
        return Ed25519PublicKey.from_public_bytes(base64url.decode(jwk["x"]))
    except (KeyError, TypeError, ValueError):
        raise SignatureError from None


def thumbprint(key: Ed25519PublicKey) -> str:
    """RFC 7638's SHA-256 of a public key, base64url: the name under which a root is pinned."""
    return base64url.encode(sha256(canonical(public_jwk(key))).digest())
