"""The key ring: every key of this installation, derived from the masters and named by its row.

PostgreSQL knows that a key is there, never what it is.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from authbus.ended_sessions import TOKEN_LIFETIME
from authbus.sealing import public_jwk
from authbus.signing import SignatureError, sign, take_apart
from authbus.signing import public_jwk as public_okp
from authbus.state import PublicKey
from authbus.topics import COMMANDS_KEPT
from authbus.trust import sign_key
from authbus_service.core import clock
from authbus_service.core.security.masters import Masters

Use = Literal["sig", "enc"]
State = Literal["next", "serves", "retired"]
USES: tuple[Use, ...] = ("sig", "enc")
# Clocks of the service, its database and the verifiers may differ by this much together.
_SKEW = timedelta(minutes=1)
# A key that has retired is needed for this long: for tokens that live, for seals on the topics.
_NEEDED = {"sig": TOKEN_LIFETIME + _SKEW, "enc": COMMANDS_KEPT}
# `iat` is in whole seconds: all of the one in which keys change is the new key's.
_REST_OF_A_SECOND = timedelta(microseconds=999_999)
# RFC 9068, of an access token.
_TYPE = "at+jwt"
_KID_BYTES = 8
_SEALS = {"alg": "ECDH-ES"}


@dataclass(frozen=True, slots=True)
class Key:
    """A row of `keys`: a random id, its use, the master it is derived from, and when it serves."""

    kid: str
    use: Use
    master: str
    not_before: datetime
    retired_at: datetime | None = None

    def state(self, at: datetime) -> State:
        """What it is at this time; one that has retired still opens seals and verifies tokens."""
        if at < self.not_before:
            return "next"
        return "serves" if self.retired_at is None or at < self.retired_at else "retired"

    @property
    def needed_until(self) -> datetime | None:
        """The time after which nothing can need it any more; None while it has not retired."""
        return None if self.retired_at is None else self.retired_at + _NEEDED[self.use]


def new_key(use: Use, not_before: datetime, masters: Masters) -> Key:
    """A key of the current master, under a name of its own."""
    return Key(secrets.token_hex(_KID_BYTES), use, masters.current, not_before)


def first_keys(at: datetime, masters: Masters) -> list[Key]:
    """The keys of a new installation: one that signs, one to which commands are sealed."""
    return [new_key(use, at, masters) for use in USES]


@dataclass(slots=True)
class KeyRing:
    """Derives what a row names, once. `load` replaces the rows while the service runs."""

    masters: Masters = field(repr=False)
    _rows: dict[str, Key] = field(default_factory=dict[str, Key], repr=False)
    _signing: dict[str, Ed25519PrivateKey] = field(
        default_factory=dict[str, Ed25519PrivateKey], repr=False
    )
    _opening: dict[str, tuple[EllipticCurvePrivateKey, str]] = field(
        default_factory=dict[str, tuple[EllipticCurvePrivateKey, str]], repr=False
    )
    _public: list[PublicKey] = field(default_factory=list[PublicKey], repr=False)

    def load(self, keys: Iterable[Key]) -> None:
        """Take these keys. Raises MasterKeyError, and keeps the old ones, when a master is gone."""
        rows = sorted(keys, key=lambda key: key.kid)
        if rows == list(self._rows.values()):
            return
        signing = {
            key.kid: self.masters.signing_key(key.kid, key.master)
            for key in rows
            if key.use == "sig"
        }
        opening = {
            key.kid: (self.masters.sealing_key(key.kid, key.master), key.master)
            for key in rows
            if key.use == "enc"
        }
        halves = {kid: _public_half(private.public_key()) for kid, private in signing.items()}
        halves |= {kid: public_jwk(own.public_key()) | _SEALS for kid, (own, _) in opening.items()}
        self._public = [self._record(key, halves[key.kid]) for key in rows]
        self._rows = {key.kid: key for key in rows}
        self._signing, self._opening = signing, opening

    def sealing(self, kid: str) -> tuple[EllipticCurvePrivateKey, str] | None:
        """The private key that opens seals under this kid, and its master; None when not ours."""
        return self._opening.get(kid)

    def sealing_keys(self) -> dict[str, EllipticCurvePrivateKey]:
        """Every private key that opens seals, by kid."""
        return {kid: key for kid, (key, _) in self._opening.items()}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """An access token under the key of its `iat`. Raises LookupError when none serves.

        Clocks differ: by ours it could be one that retired before, which no verifier would take.
        """
        issued_at = datetime.fromtimestamp(claims["iat"], UTC) + _REST_OF_A_SECOND
        kid = self._signing_at(issued_at) or self._signing_at(clock.now())
        if kid is None:
            raise LookupError("no sig key serves now")
        return sign({"typ": _TYPE, "kid": kid}, claims, self._signing[kid])

    def _signing_at(self, at: datetime) -> str | None:
        """The newest signing key that serves at this time; None for none."""
        serving = [
            (key.not_before, key.kid)
            for key in self._rows.values()
            if key.use == "sig" and key.state(at) == "serves"
        ]
        return max(serving)[1] if serving else None

    def verified(self, token: str) -> Mapping[str, Any] | None:
        """The claims of an access token that one of our keys signed, whatever they say, or None.

        What a key that retired has signed is over by the time at which nothing needs it any more.
        """
        try:
            signed = take_apart(token)
            kid = signed.header["kid"]
            signed.verify(self._signing[kid].public_key())
        except (KeyError, TypeError, SignatureError):
            return None
        until = self._rows[kid].needed_until
        if until is not None and until <= clock.now():
            return None
        return signed.body if signed.header.get("typ") == _TYPE else None

    def is_replaced(self, master: str) -> bool:
        """Whether each key of this master has retired, or has been destroyed since.

        Of those without a key the current one alone is yet to make its first.
        """
        now = clock.now()
        states = {key.state(now) for key in self._rows.values() if key.master == master}
        if not states:
            return bool(self._rows) and master != self.masters.current
        return states == {"retired"}

    def public_records(self) -> list[PublicKey]:
        """Every key's public half, signed under the root key of its master; by kid."""
        return list(self._public)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys as a JWK set (RFC 7517)."""
        return {"keys": [record.jwk for record in self._public]}

    def _record(self, key: Key, half: Mapping[str, str]) -> PublicKey:
        fields = asdict(key) | {"jwk": {**half, "kid": key.kid, "use": key.use}}
        del fields["master"]
        return sign_key(fields, self.masters.root_key(key.master))


def _public_half(key: Ed25519PublicKey) -> dict[str, str]:
    return public_okp(key) | {"alg": "EdDSA"}
