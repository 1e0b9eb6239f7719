"""A key that is not known may be new: while the feed is stale nobody can tell."""

from datetime import timedelta

import pytest

from authbus import AuthClient, Verifier
from authbus.errors import FeedStale, TokenInvalid
from authbus.testing import FakeAuthbus
from authbus.tokens import OnStale
from tests.unit.authbus.test_tokens import HEADER, NOW, World, a_token

ON_STALE: tuple[OnStale, ...] = ("reject", "accept")


@pytest.mark.parametrize("on_stale", ON_STALE)
def test_under_an_unknown_key_a_token_is_refused_for_the_feed_while_that_is_stale(
    on_stale: OnStale,
) -> None:
    world, token = World(on_stale), a_token({"kid": "s2"})
    fresh = world.reason(token)
    world.now = NOW + timedelta(seconds=6)
    stale = world.reason(token)
    world.beat(world.now, 0, 1)
    again = world.reason(token)
    world.publish(kid="s2")

    assert (fresh, stale, again) == ("key", "feed_stale", "key")
    assert world.checker.verify(token)


def test_what_is_wrong_by_itself_is_so_also_while_the_feed_is_stale() -> None:
    world = World()
    world.now = NOW + timedelta(seconds=6)

    assert world.reason("a.b.c") == "malformed"
    assert world.reason(a_token({**HEADER, "typ": "JWT", "kid": "s2"})) == "type"
    assert world.reason(a_token(iss="authbus/staging")) == "issuer"


async def test_the_fake_tells_the_two_apart_as_a_real_verifier_does() -> None:
    bus, token = FakeAuthbus(), a_token()
    async with bus.client("web") as auth:
        for on_stale in ON_STALE:
            async with bus.verifier("web", on_stale=on_stale) as verifier:
                assert _reasons(bus, token, auth) == ("key", "feed_stale")
                assert _reasons(bus, token, verifier) == ("key", "feed_stale")


def _reasons(bus: FakeAuthbus, token: str, verifier: AuthClient | Verifier) -> tuple[str, str]:
    """Why it is refused while the feed is fresh, and while it is stale."""
    with pytest.raises(TokenInvalid) as fresh:
        verifier.verify(token)
    bus.feed_behind(6)
    with pytest.raises(FeedStale) as stale:
        verifier.verify(token)
    bus.feed_behind(0)
    return fresh.value.reason, stale.value.reason
