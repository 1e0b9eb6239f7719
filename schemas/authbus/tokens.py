"""Access tokens: RFC 9068, EdDSA. What is checked of one, and what is known of its owner."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from authbus import signing
from authbus.ended_sessions import TOKEN_LIFETIME, EndedSessions
from authbus.errors import (
    FeedStale,
    PermissionMissing,
    StepUpRequired,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
)
from authbus.public_keys import PublicKeys, SigningKey
from authbus.signing import SignatureError, Signed

LEEWAY = timedelta(seconds=5)
OnStale = Literal["reject", "accept"]

_TYPES = frozenset({"at+jwt", "application/at+jwt"})
_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says: who, in which session, asked for by whom and for whom, until when.

    `roles` may grow; `amr` are RFC 8176 names of how the user authenticated. `permissions` are
    what the roles permitted when the token was made.
    """

    user_id: UUID
    session_id: UUID
    client_id: str
    audience: tuple[str, ...]
    roles: tuple[str, ...]
    amr: tuple[str, ...]
    auth_time: datetime | None
    issued_at: datetime
    expires_at: datetime
    token_id: str
    permissions: frozenset[str] = frozenset()

    def may(self, permission: str) -> bool:
        """Whether the token permits this, for example `orders:write`."""
        return permission in self.permissions

    def proven_since(self, at: datetime) -> bool:
        """Whether the user has authenticated after this time, give or take a few seconds."""
        return self.auth_time is not None and self.auth_time > at - LEEWAY


@dataclass(frozen=True, slots=True)
class Rules:
    """Whose tokens are taken, for whom, and how old the feed of ended sessions may be."""

    issuer: str
    audience: str
    max_staleness: timedelta
    on_stale: OnStale


class TokenChecker:
    """Verifies tokens offline. A signature is checked once for each token and key."""

    def __init__(
        self,
        rules: Rules,
        keys: PublicKeys,
        ended: EndedSessions,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rules = rules
        self._keys = keys
        self._ended = ended
        self._now = now
        self._known: dict[str, tuple[SigningKey, Claims]] = {}

    def verify(self, token: str) -> Claims:
        """What the token says. Raises TokenInvalid or one of its kinds; reads no network."""
        known = self._known.get(token)
        if known is None or self._keys.signing(known[0].kid) is not known[0]:
            known = self._read(token)
        claims, now = known[1], self._now()
        if claims.issued_at > now + LEEWAY:
            raise TokenInvalid("not_yet")
        if claims.expires_at <= now - LEEWAY:
            raise TokenExpired
        if claims.session_id in self._ended:
            raise TokenRevoked
        if self._rules.on_stale == "reject" and (
            self._is_stale(now) or claims.issued_at < self._ended.known_since(now)
        ):
            raise FeedStale
        return claims

    def require(
        self, token: str, permission: str, *, max_age: float | None = None, amr: str | None = None
    ) -> Claims:
        """What a token says that permits this; see Verifier.require."""
        claims = self.verify(token)
        if not claims.may(permission):
            raise PermissionMissing(permission)
        if amr is not None and amr not in claims.amr:
            raise StepUpRequired
        if max_age is not None and not claims.proven_since(
            self._now() - timedelta(seconds=max_age)
        ):
            raise StepUpRequired
        return claims

    def _read(self, token: str) -> tuple[SigningKey, Claims]:
        signed = _taken_apart(token)
        key = self._keys.signing(signed.header.get("kid"))
        if key is None:
            # A new key may be there and not heard of: that is no fault of the token's.
            raise FeedStale if self._is_stale(self._now()) else TokenInvalid("key")
        try:
            signed.verify(key.key)
        except SignatureError:
            raise TokenInvalid("signature") from None
        claims = self._claims(signed.body)
        if key.retired_at is not None and claims.issued_at > key.retired_at + LEEWAY:
            raise TokenInvalid("key")
        if len(self._known) >= _KEPT:
            self._forget_one()
        self._known[token] = key, claims
        return key, claims

    def _forget_one(self) -> None:
        """Also where other threads check tokens meanwhile, and forget the same one."""
        with suppress(RuntimeError):
            self._known.pop(next(iter(self._known), ""), None)

    def _is_stale(self, now: datetime) -> bool:
        return self._ended.age(now) > self._rules.max_staleness

    def _claims(self, body: dict[str, Any]) -> Claims:
        if body.get("iss") != self._rules.issuer:
            raise TokenInvalid("issuer")
        try:
            claims = _claims(body)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise TokenInvalid("claims") from None
        if self._rules.audience not in claims.audience:
            raise TokenInvalid("audience")
        # A longer life would outlast the memory of ended sessions.
        if claims.expires_at - claims.issued_at > TOKEN_LIFETIME:
            raise TokenInvalid("lifetime")
        return claims


def _taken_apart(token: str) -> Signed:
    try:
        signed = signing.take_apart(token)
    except SignatureError:
        raise TokenInvalid("malformed") from None
    kind = signed.header.get("typ")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenInvalid("type")
    return signed


def _claims(body: dict[str, Any]) -> Claims:
    audience = body["aud"]
    return Claims(
        user_id=UUID(_text(body["sub"])),
        session_id=UUID(_text(body["sid"])),
        client_id=_text(body["client_id"]),
        audience=(audience,) if isinstance(audience, str) else _texts(audience),
        roles=_texts(body.get("roles", [])),
        amr=_texts(body.get("amr", [])),
        auth_time=_instant(body["auth_time"]) if "auth_time" in body else None,
        issued_at=_instant(body["iat"]),
        expires_at=_instant(body["exp"]),
        token_id=_text(body["jti"]),
        permissions=frozenset(_text(body.get("scope", "")).split()),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError
    return tuple(map(_text, values))


def _instant(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return datetime.fromtimestamp(value, UTC)
