"""Access tokens like the service's, under keys that are no secret: real verifiers refuse them."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authbus import signing
from authbus.ended_sessions import EndedSessions
from authbus.public_keys import PublicKeys
from authbus.signing import SignatureError
from authbus.testing.rows import Account, Held, derived_id
from authbus.trust import Trust, sign_key

ISSUER = "authbus/auth"
_KID = "fake"


def _key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(f"authbus.testing {name}".encode()).digest())


class Ended(EndedSessions):
    """All sessions that ended, and how far behind them a test lets verifiers be."""

    def __init__(self) -> None:
        super().__init__()
        self.behind = timedelta()


class Feed(EndedSessions):
    """What one verifier knows of them: all, as long as it is open."""

    def __init__(self, ended: Ended) -> None:
        super().__init__()
        self.is_open, self._all = False, ended

    def __contains__(self, session_id: UUID) -> bool:
        return session_id in self._all

    def age(self, now: datetime) -> timedelta:
        """How far behind it is; very far when nobody follows it."""
        return self._all.behind if self.is_open else super().age(now)


class Mint:
    """Makes tokens, and has the key with which everybody checks them."""

    def __init__(self) -> None:
        root, self._key = _key("root"), _key("tokens")
        self._trust = Trust(signing.thumbprint(root.public_key()))
        jwk = signing.public_jwk(self._key.public_key())
        since = datetime(2000, 1, 1, tzinfo=UTC)
        said = {"kid": _KID, "use": "sig", "jwk": jwk, "not_before": since}
        self.published = sign_key(said, root)

    def no_keys(self) -> PublicKeys:
        """For a verifier that has not read what is published."""
        return PublicKeys(self._trust)

    def token(
        self,
        user: Account,
        session: Held,
        cause: UUID,
        *,
        audience: tuple[str, ...],
        permissions: frozenset[str],
        life: tuple[datetime, datetime],
    ) -> str:
        """An access token for a session, from and until these times."""
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": str(user.id),
            "sid": str(session.id),
            "aud": audience[0] if len(audience) == 1 else list(audience),
            "client_id": session.client_id,
            "jti": str(derived_id("token", cause)),
            "iat": int(life[0].timestamp()),
            "exp": int(life[1].timestamp()),
            "auth_time": int(session.authenticated_at.timestamp()),
            "amr": list(session.amr),
            "roles": list(user.roles),
        }
        if permissions:
            claims["scope"] = " ".join(sorted(permissions))
        return signing.sign({"typ": "at+jwt", "kid": _KID}, claims, self._key)

    def read(self, token: str, at: datetime) -> tuple[UUID, UUID] | None:
        """Whose token of which session it is, or None when it is not ours or its time is over."""
        try:
            signed = signing.take_apart(token)
            signed.verify(self._key.public_key())
        except SignatureError:
            return None
        if at >= datetime.fromtimestamp(signed.body["exp"], UTC):
            return None
        return UUID(signed.body["sub"]), UUID(signed.body["sid"])
