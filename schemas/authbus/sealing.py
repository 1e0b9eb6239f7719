"""Seals: compact JWE (ECDH-ES, P-256, A256GCM) for whole commands and for replies with secrets.

A seal never compresses and carries no header but those named here. Errors say one thing and show
nothing of the content.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwe
from joserfc.jwk import ECKey

from authbus import base64url
from authbus.strict_json import read_json

LARGEST_SEAL = 65536

_ALG, _ENC, _CURVE = "ECDH-ES", "A256GCM", "P-256"
_ALLOWED = frozenset({"alg", "enc", "kid", "epk", "cty", "typ", "apu", "apv"})
_COORDINATE, _KEY_BITS = 32, 256
_FIRST_ROUND = (1).to_bytes(4, "big")
_REGISTRY = jwe.JWERegistry(algorithms=[_ALG, _ENC])
_LARGEST_HEADER = _REGISTRY.max_protected_header_length
_LONGEST_KID = 128
# ECDH-ES has no encrypted key: the second part is empty.
_SHAPE = re.compile(rb"[\w-]+\.\.[\w-]{16}\.[\w-]+\.[\w-]{22}", re.ASCII)


class SealError(ValueError):
    """This is no seal, it is not for this key, or it was altered. Which one is not said."""

    def __init__(self) -> None:
        super().__init__("not a seal that can be opened")


def seal(payload: bytes, key: Mapping[str, str]) -> bytes:
    """Seal `payload` so that only the owner of `key`, a public P-256 JWK, can read it.

    Raises SealError when the key is none, and when the seal would be larger than LARGEST_SEAL.
    """
    protected = {"alg": _ALG, "enc": _ENC, "cty": "json"}
    if "kid" in key:
        protected["kid"] = key["kid"]
    public = public_key(key)
    try:
        value = jwe.encrypt_compact(protected, payload, public, registry=_REGISTRY).encode()
    except Exception:  # noqa: BLE001 - no error of a library may carry the payload
        value = None
    if value is None or len(value) > LARGEST_SEAL:
        raise SealError
    return value


def kid_of(value: bytes) -> str:
    """The id of the key that opens this seal. Reads the protected header alone.

    Raises SealError for whatever is not exactly such a seal, `zip` and `crit` included.
    """
    kid = _protected(value).get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_KID:
        raise SealError
    return kid


def open_sealed(value: bytes, key: ECKey) -> bytes:
    """What is inside. Raises SealError, whatever is wrong with the seal or the key."""
    header = _protected(value)
    protected, _, *parts = value.split(b".")
    payload = None
    try:
        nonce, sealed, tag = (base64url.decode(part.decode()) for part in parts)
        content_key = _agreed(key, header)
        payload = AESGCM(content_key).decrypt(nonce, sealed + tag, protected)
    except Exception:  # noqa: BLE001 - whatever a hostile seal breaks, the answer is one
        payload = None
    if payload is None:
        raise SealError
    return payload


def _agreed(key: ECKey, header: Mapping[str, Any]) -> bytes:
    """The content's key: RFC 7518, 4.6, direct agreement.

    Twice as fast as a library of all algorithms; each command of a replay is opened once more.
    """
    point = header["epk"]
    if (point["kty"], point["crv"]) != ("EC", _CURVE):
        raise SealError
    x, y = (base64url.decode(point[name]).rjust(_COORDINATE, b"\0") for name in ("x", "y"))
    theirs = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), b"\x04" + x + y)
    ours = key.private_key
    parties = (base64url.decode(header.get(name, "")) for name in ("apu", "apv"))
    info = b"".join(map(_counted, (_ENC.encode(), *parties))) + _KEY_BITS.to_bytes(4, "big")
    if ours is None:
        raise SealError
    shared = ours.exchange(ECDH(), theirs)
    return hashlib.sha256(_FIRST_ROUND + shared + info).digest()


def _counted(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def private_key(key: EllipticCurvePrivateKey, kid: str) -> ECKey:
    """A P-256 private key of `cryptography` as the kind of key that opens seals."""
    if not isinstance(key.curve, SECP256R1):
        raise SealError
    return ECKey.import_key(key, {"kid": kid})


def public_jwk(key: ECKey) -> dict[str, str]:
    """The public half: kty, crv, x, y, and kid where the key has one."""
    return cast("dict[str, str]", key.as_dict(private=False))


def public_key(key: Mapping[str, str]) -> ECKey:
    """A public JWK, checked: a point of P-256, with no private part. Raises SealError."""
    named = (key.get("kty"), key.get("crv"), "d" in key, key.get("kid", ""))
    match named:
        case ("EC", "P-256", False, str()):
            return _imported(key.get("x"), key.get("y"))
        case _:
            raise SealError


class ReplyKey:
    """A key pair for one reply. The private half lives and dies with this object."""

    __slots__ = ("_key", "public")

    def __init__(self) -> None:
        self._key = ECKey.generate_key(_CURVE, {"kid": "reply"})
        self.public = public_jwk(self._key)

    def open(self, value: bytes) -> bytes:
        """What was sealed to this key. Raises SealError."""
        return open_sealed(value, self._key)


@lru_cache(maxsize=64)
def _imported(x: str | None, y: str | None) -> ECKey:
    try:
        key = ECKey.import_key({"kty": "EC", "crv": _CURVE, "x": x or "", "y": y or ""})
        key.get_op_key("deriveKey")
    except Exception:  # noqa: BLE001 - a point off the curve, letters that are no base64url, no text
        key = None
    if key is None:
        raise SealError
    return key


def _protected(value: bytes) -> dict[str, Any]:
    header = None
    if len(value) <= LARGEST_SEAL and _SHAPE.fullmatch(value):
        header = _header(value[: value.index(b".")])
    if header is None or not _is_ours(header):
        raise SealError
    return header


def _header(part: bytes) -> dict[str, Any] | None:
    try:
        raw = base64url.decode(part.decode())
        return read_json(raw, max_bytes=_LARGEST_HEADER, max_depth=2)
    except ValueError:
        return None


def _is_ours(header: dict[str, Any]) -> bool:
    return (
        header.get("alg") == _ALG
        and header.get("enc") == _ENC
        and isinstance(header.get("epk"), dict)
        and header.keys() <= _ALLOWED
    )
