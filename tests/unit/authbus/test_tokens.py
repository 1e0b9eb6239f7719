"""Which access tokens are believed, and why the others are not."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authbus.ended_sessions import EndedSessions
from authbus.errors import FeedStale, PermissionMissing, TokenExpired, TokenInvalid, TokenRevoked
from authbus.public_keys import PublicKeys
from authbus.signing import public_jwk, sign, thumbprint
from authbus.state import FeedAlive, SessionRevoked
from authbus.tokens import OnStale, Rules, TokenChecker
from authbus.trust import Trust, sign_key
from tests.unit.authbus.records import a_record

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ROOT, KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
USER, SESSION, TOKEN_ID = (UUID(int=7 << 76 | 2 << 62 | number) for number in (1, 2, 3))
HEADER = {"typ": "at+jwt", "kid": "s1"}
CLAIMS: dict[str, Any] = {
    "iss": "authbus/auth",
    "sub": str(USER),
    "sid": str(SESSION),
    "aud": ["web", "billing"],
    "client_id": "web",
    "iat": NOW.timestamp() - 60,
    "exp": NOW.timestamp() + 540,
    "auth_time": NOW.timestamp() - 60,
    "jti": str(TOKEN_ID),
    "amr": ["pwd"],
    "roles": ["admin"],
}


class World:
    """A checker with its keys, its ended sessions and its clock."""

    def __init__(self, on_stale: OnStale = "reject", *, heard: Sequence[int] = (0, 1)) -> None:
        self.now = NOW
        self.keys = PublicKeys(Trust(thumbprint(ROOT.public_key())))
        self.ended = EndedSessions(lambda: 0.0)
        self.ended.expect(range(2))
        rules = Rules("authbus/auth", "billing", timedelta(seconds=5), on_stale)
        self.checker = TokenChecker(rules, self.keys, self.ended, lambda: self.now)
        self.publish()
        self.beat(NOW, *heard)

    def publish(self, **fields: Any) -> None:
        record = sign_key(
            {
                "kid": "s1",
                "use": "sig",
                "jwk": public_jwk(KEY.public_key()),
                "not_before": NOW - timedelta(days=1),
                **fields,
            },
            ROOT,
        )
        self.keys.read(a_record(record.model_dump_json().encode(), key=record.kid.encode()))

    def beat(self, at: datetime, *partitions: int) -> None:
        value = FeedAlive(published_through=at).model_dump_json().encode()
        for partition in partitions:
            self.ended.read(a_record(value, key=b"alive", partition=partition))

    def end(self, session_id: UUID, at: datetime = NOW) -> None:
        ended = SessionRevoked(session_id=session_id, user_id=USER, ended_at=at)
        value, said = ended.model_dump_json().encode(), int(at.timestamp() * 1000)
        self.ended.read(a_record(value, key=str(session_id).encode(), timestamp=said))

    def reason(self, token: str) -> str:
        with pytest.raises(TokenInvalid) as raised:
            self.checker.verify(token)
        assert token not in str(raised.value)
        return raised.value.reason


def a_token(header: dict[str, Any] | None = None, **claims: Any) -> str:
    body = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return sign(HEADER | (header or {}), body, KEY)


@pytest.fixture
def world() -> World:
    return World()


def test_a_right_token_tells_whose_it_is(world: World) -> None:
    claims = world.checker.verify(a_token())

    assert (claims.user_id, claims.session_id, claims.token_id) == (USER, SESSION, str(TOKEN_ID))
    assert (claims.client_id, claims.audience) == ("web", ("web", "billing"))
    assert (claims.roles, claims.amr) == (("admin",), ("pwd",))
    assert claims.expires_at == NOW + timedelta(seconds=540)
    assert claims.auth_time == NOW - timedelta(seconds=60)


WRONG = [
    (a_token({"typ": "JWT"}), "type"),
    (a_token({"typ": None}), "type"),
    (a_token({"alg": "HS256"}), "malformed"),
    (a_token({"alg": "none"}), "malformed"),
    (a_token({"kid": "s2"}), "key"),
    (a_token({"kid": ["s1"]}), "key"),
    (sign(HEADER, CLAIMS, Ed25519PrivateKey.generate()), "signature"),
    (a_token(iss="authbus/staging"), "issuer"),
    (a_token(iss=None), "issuer"),
    (a_token(aud="web"), "audience"),
    (a_token(aud=[]), "audience"),
    (a_token(aud="billing-2"), "audience"),
    (a_token(aud={"billing": 1}), "claims"),
    (a_token(exp=NOW.timestamp() + 3600), "lifetime"),
    (a_token(iat=NOW.timestamp() + 6), "not_yet"),
    (a_token(exp="soon"), "claims"),
    (a_token(exp=1e300), "claims"),
    (a_token(exp=True), "claims"),
    (a_token(sub="ana"), "claims"),
    (a_token(roles="admin"), "claims"),
    ("not a token", "malformed"),
    ("a.b.c", "malformed"),
]


@pytest.mark.parametrize(("token", "reason"), WRONG, ids=map(str, range(len(WRONG))))
def test_a_token_that_is_wrong_is_refused_with_its_reason(
    world: World, token: str, reason: str
) -> None:
    assert world.reason(token) == reason


@pytest.mark.parametrize("name", ["sub", "sid", "aud", "client_id", "iat", "exp", "jti"])
def test_a_token_without_a_required_claim_is_refused(world: World, name: str) -> None:
    assert world.reason(a_token(**{name: None})) == "claims"


def test_both_spellings_of_the_type_are_taken(world: World) -> None:
    assert world.checker.verify(a_token({"typ": "application/AT+JWT"}))


def test_a_token_permits_what_its_scope_names_and_nothing_else(world: World) -> None:
    token = a_token(scope="orders:read orders:write")

    claims = world.checker.require(token, "orders:write")

    assert claims.permissions == {"orders:read", "orders:write"}
    assert claims.may("orders:read")
    for missing in ("orders", "orders:delete", "orders:read orders:write", ""):
        with pytest.raises(PermissionMissing):
            world.checker.require(token, missing)
    with pytest.raises(PermissionMissing, match="orders:write"):
        world.checker.require(a_token(), "orders:write")
    world.end(SESSION)
    with pytest.raises(TokenRevoked):
        world.checker.require(token, "orders:write")


def test_a_token_expires_also_when_it_was_verified_before(world: World) -> None:
    token = a_token()
    world.checker.verify(token)
    world.now = NOW + timedelta(seconds=545)
    world.beat(world.now, 0, 1)

    with pytest.raises(TokenExpired):
        world.checker.verify(token)


def test_a_token_of_an_ended_session_is_refused_also_when_it_was_verified_before(
    world: World,
) -> None:
    token = a_token()
    world.checker.verify(token)

    world.end(SESSION)

    with pytest.raises(TokenRevoked):
        world.checker.verify(token)


def test_a_feed_that_is_silent_on_one_partition_is_stale(world: World) -> None:
    world.now = NOW + timedelta(seconds=6)
    world.beat(world.now, 0)

    with pytest.raises(FeedStale):
        world.checker.verify(a_token())

    world.beat(world.now, 1)
    assert world.checker.verify(a_token())


@pytest.mark.parametrize("heard", [(), (1,)])
def test_a_feed_that_never_said_anything_is_stale(heard: Sequence[int]) -> None:
    with pytest.raises(FeedStale):
        World(heard=heard).checker.verify(a_token())


def test_a_late_heartbeat_does_not_make_the_feed_older(world: World) -> None:
    world.beat(NOW - timedelta(minutes=1), 0, 1)

    assert world.checker.verify(a_token())


def test_a_stale_feed_may_be_accepted_but_what_is_known_to_have_ended_is_not() -> None:
    world = World("accept")
    world.now = NOW + timedelta(minutes=5)

    assert world.checker.verify(a_token())
    world.end(SESSION)
    with pytest.raises(TokenRevoked):
        world.checker.verify(a_token())


def test_a_retired_key_vouches_for_what_it_signed_before_and_for_nothing_after(
    world: World,
) -> None:
    world.publish(retired_at=NOW - timedelta(seconds=30))

    assert world.checker.verify(a_token())
    assert world.reason(a_token(iat=NOW.timestamp() - 20)) == "key"


def test_a_key_that_is_gone_vouches_for_nothing_also_for_tokens_verified_before(
    world: World,
) -> None:
    token = a_token()
    world.checker.verify(token)

    world.keys.read(a_record(None, key=b"s1"))

    assert world.reason(token) == "key"


def test_a_key_that_had_retired_before_its_end_vouches_for_nothing_when_it_is_said_to_serve_again(
    world: World,
) -> None:
    world.publish(retired_at=NOW - timedelta(minutes=15))
    world.keys.read(a_record(None, key=b"s1"))

    world.publish()

    assert world.reason(a_token()) == "key"
