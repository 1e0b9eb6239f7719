"""Seals: compact JWE (ECDH-ES, P-256, A256GCM) for whole commands and for replies with secrets.

A seal never compresses and carries no header but those named here. Errors say one thing and show
nothing of the content.

One algorithm in one form, so that nothing is negotiated, and half the time of a library of all of
them: each command is sealed and opened once, and once more in each replay.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authbus import base64url
from authbus.strict_json import read_json

LARGEST_SEAL = 65536

_ALG, _ENC, _CURVE = "ECDH-ES", "A256GCM", "P-256"
_ALLOWED = frozenset({"alg", "enc", "kid", "epk", "cty", "typ", "apu", "apv"})
_P256 = SECP256R1()
_COORDINATE, _KEY_BITS, _NONCE, _TAG = 32, 256, 12, 16
_FIRST_ROUND = (1).to_bytes(4, "big")
_LARGEST_HEADER = 1024
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
    theirs, once = public_key(key), generate_private_key(_P256)
    header: dict[str, Any] = {"alg": _ALG, "enc": _ENC, "cty": "json"}
    if "kid" in key:
        header["kid"] = key["kid"]
    header["epk"] = public_jwk(once.public_key())
    protected = base64url.encode(json.dumps(header, separators=(",", ":")).encode())
    nonce = os.urandom(_NONCE)
    content_key = _agreed(once, theirs, header)
    sealed = AESGCM(content_key).encrypt(nonce, payload, protected.encode())
    parts = (nonce, sealed[:-_TAG], sealed[-_TAG:])
    value = ".".join((protected, "", *map(base64url.encode, parts))).encode()
    if len(value) > LARGEST_SEAL:
        raise SealError
    return value


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal, taken apart and not opened yet."""

    protected: bytes = field(repr=False)
    header: Mapping[str, Any] = field(repr=False)
    parts: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def read(cls, value: bytes) -> Self:
        """Raises SealError for whatever is not exactly such a seal, `zip` and `crit` included."""
        header = None
        if len(value) <= LARGEST_SEAL and _SHAPE.fullmatch(value):
            header = _header(value[: value.index(b".")])
        if header is None or not _is_ours(header):
            raise SealError
        protected, _, *parts = value.split(b".")
        return cls(protected, header, tuple(parts))

    @property
    def kid(self) -> str:
        """The id of the key that opens it. Raises SealError where none is named."""
        kid = self.header.get("kid")
        if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_KID:
            raise SealError
        return kid

    def open(self, key: EllipticCurvePrivateKey) -> bytes:
        """What is inside. Raises SealError, whatever is wrong with the seal or the key."""
        payload = None
        try:
            nonce, sealed, tag = (base64url.decode(part.decode()) for part in self.parts)
            epk = self.header["epk"]
            if (epk["kty"], epk["crv"]) == ("EC", _CURVE):
                content_key = _agreed(key, _point(epk["x"], epk["y"]), self.header)
                payload = AESGCM(content_key).decrypt(nonce, sealed + tag, self.protected)
        except Exception:  # noqa: BLE001 - whatever a hostile seal breaks, the answer is one
            payload = None
        if payload is None:
            raise SealError
        return payload


def public_jwk(key: EllipticCurvePublicKey) -> dict[str, str]:
    """A public key of P-256 as a JWK: kty, crv, x, y."""
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    x, y = base64url.encode(point[:_COORDINATE]), base64url.encode(point[_COORDINATE:])
    return {"kty": "EC", "crv": _CURVE, "x": x, "y": y}


def public_key(key: Mapping[str, str]) -> EllipticCurvePublicKey:
    """A public JWK, checked: a point of P-256, no private part, a short id. Raises SealError."""
    named = (key.get("kty"), key.get("crv"), "d" in key, key.get("kid", ""))
    match named:
        case ("EC", "P-256", False, str(kid)) if len(kid) <= _LONGEST_KID:
            return _imported(key.get("x"), key.get("y"))
        case _:
            raise SealError


class ReplyKey:
    """A key pair for one reply: a new one, whose private half lives and dies with this object.

    Or one that the caller keeps, on P-256. Raises SealError for any other curve.
    """

    __slots__ = ("_key", "public")

    def __init__(self, kept: EllipticCurvePrivateKey | None = None) -> None:
        if kept is not None and kept.curve.name != _P256.name:
            raise SealError
        self._key = kept or generate_private_key(_P256)
        self.public = public_jwk(self._key.public_key()) | {"kid": "reply"}

    def open(self, value: bytes) -> bytes:
        """What was sealed to this key. Raises SealError."""
        return Seal.read(value).open(self._key)


def _agreed(
    ours: EllipticCurvePrivateKey, theirs: EllipticCurvePublicKey, header: Mapping[str, Any]
) -> bytes:
    """The content's key: RFC 7518, 4.6, direct agreement."""
    parties = (base64url.decode(header.get(name, "")) for name in ("apu", "apv"))
    info = b"".join(map(_counted, (_ENC.encode(), *parties))) + _KEY_BITS.to_bytes(4, "big")
    shared = ours.exchange(ECDH(), theirs)
    return hashlib.sha256(_FIRST_ROUND + shared + info).digest()


def _counted(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def _point(x: str, y: str) -> EllipticCurvePublicKey:
    point = b"".join(base64url.decode(part).rjust(_COORDINATE, b"\0") for part in (x, y))
    return EllipticCurvePublicKey.from_encoded_point(_P256, b"\x04" + point)


@lru_cache(maxsize=64)
def _imported(x: str | None, y: str | None) -> EllipticCurvePublicKey:
    try:
        key = _point(x or "", y or "")
    except Exception:  # noqa: BLE001 - a point off the curve, letters that are no base64url, no text
        key = None
    if key is None:
        raise SealError
    return key


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
