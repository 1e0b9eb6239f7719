"""The key ring: every key of this installation, derived from the masters and named by its row.

PostgreSQL knows that a key is there, never what it is.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from joserfc.jwk import ECKey

from authbus.sealing import private_key, public_jwk
from authbus.signing import public_jwk as public_okp
from authbus.signing import thumbprint
from authbus.state import PublicKey
from authbus.trust import sign_key
from authbus_service.core import clock
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.tokens import access_token

Use = Literal["sig", "enc"]
_KID_BYTES = 8


@dataclass(frozen=True, slots=True)
class Key:
    """A row of `keys`: a random id, its use, the master it is derived from, and when it serves."""

    kid: str
    use: Use
    master: str
    not_before: datetime
    retired_at: datetime | None = None


def first_keys(at: datetime, masters: Masters) -> list[Key]:
    """The keys of a new installation: one that signs, one to which commands are sealed."""
    return [
        Key(secrets.token_urlsafe(_KID_BYTES), use, masters.current, at) for use in ("sig", "enc")
    ]


@dataclass(slots=True)
class KeyRing:
    """Derives what a row names, once. `load` replaces the rows while the service runs."""

    masters: Masters = field(repr=False)
    _rows: dict[str, Key] = field(default_factory=dict[str, Key], repr=False)
    _opening: dict[str, tuple[ECKey, str]] = field(
        default_factory=dict[str, tuple[ECKey, str]], repr=False
    )

    def load(self, keys: Iterable[Key]) -> None:
        """Take these keys. Raises MasterKeyError when one's master is not in the list."""
        self._rows = {key.kid: key for key in keys}
        self._opening = {
            key.kid: (self._sealing_key(key), key.master)
            for key in self._rows.values()
            if key.use == "enc"
        }

    def sealing(self, kid: str) -> tuple[ECKey, str] | None:
        """The private key that opens seals under this kid, and its master; None when not ours."""
        return self._opening.get(kid)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """An access token under the newest signing key that serves."""
        key = self._serving("sig")
        return access_token(claims, key.kid, self.masters.signing_key(key.kid, key.master))

    def public_records(self) -> list[PublicKey]:
        """Every key's public half, signed under the root key of its master."""
        return [self._public(key) for key in sorted(self._rows.values(), key=lambda key: key.kid)]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys as a JWK set (RFC 7517)."""
        return {"keys": [record.jwk for record in self.public_records()]}

    def root_thumbprint(self) -> str:
        """What clients pin as `trust=`."""
        return thumbprint(self.masters.root_key().public_key())

    def _serving(self, use: Use) -> Key:
        now = clock.now()
        serving = [
            key
            for key in self._rows.values()
            if key.use == use
            and key.not_before <= now
            and (key.retired_at is None or now < key.retired_at)
        ]
        if not serving:
            raise LookupError(f"no {use} key serves now")
        return max(serving, key=lambda key: (key.not_before, key.kid))

    def _sealing_key(self, key: Key) -> ECKey:
        return private_key(self.masters.sealing_key(key.kid, key.master), key.kid)

    def _public(self, key: Key) -> PublicKey:
        if key.use == "enc":
            jwk = public_jwk(self._sealing_key(key)) | {"alg": "ECDH-ES"}
        else:
            public = self.masters.signing_key(key.kid, key.master).public_key()
            jwk = public_okp(public) | {"alg": "EdDSA"}
        fields = {
            "kid": key.kid,
            "use": key.use,
            "jwk": jwk | {"kid": key.kid, "use": key.use},
            "not_before": key.not_before,
            "retired_at": key.retired_at,
        }
        return sign_key(fields, self.masters.root_key(key.master))
