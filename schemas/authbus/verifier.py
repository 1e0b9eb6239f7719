"""Verifier: access tokens checked offline, with what ended followed over Kafka."""

from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from authbus.ended_sessions import TOKEN_LIFETIME, EndedSessions
from authbus.kafka.connection import Connection
from authbus.kafka.following import Feed, Follower
from authbus.kafka.security import Security
from authbus.public_keys import PublicKeys
from authbus.tokens import Claims, OnStale, Rules, TokenChecker
from authbus.topics import DEFAULT_NAMESPACE, KEYS_STATE, SESSIONS_ENDED
from authbus.trust import Trust

MAX_STALENESS = 5.0


def key_feed(keys: PublicKeys, namespace: str) -> Feed:
    """The public keys, all of them."""
    return Feed(KEYS_STATE.name(namespace), "beginning", keys.read)


def ended_feed(ended: EndedSessions, namespace: str) -> Feed:
    """The ended sessions whose tokens may be alive, also where a relay's clock is far behind."""
    topic = SESSIONS_ENDED.name(namespace)
    return Feed(topic, TOKEN_LIFETIME * 2, ended.read, ended.expect, ended.begins)


class Verifier:
    """Verifies access tokens without asking anybody.

    `audience` is who this module is, as declared for the clients whose tokens it takes. `trust` are
    the thumbprints of the service's root keys. When the feed of ended sessions is older than
    `max_staleness` seconds, tokens are refused, or taken with `on_stale="accept"` where their key
    is known. `security` is how Kafka is reached; without it in the clear and without a log-in.

        async with Verifier("localhost:9092", audience="orders", trust="...") as verifier:
            claims = verifier.require(token, "orders:write")
    """

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        audience: str,
        issuer: str | None = None,
        trust: tuple[str, ...] | str | None = None,
        namespace: str = DEFAULT_NAMESPACE,
        max_staleness: float = MAX_STALENESS,
        on_stale: OnStale = "reject",
        security: Security | None = None,
    ) -> None:
        self._connection = Connection(bootstrap_servers, f"{audience}-verifier", security)
        self._keys, self._ended = PublicKeys(Trust(trust)), EndedSessions()
        rules = Rules(
            issuer=issuer or f"authbus/{namespace}",
            audience=audience,
            max_staleness=timedelta(seconds=max_staleness),
            on_stale=on_stale,
        )
        self._checker = TokenChecker(rules, self._keys, self._ended)
        self._feeds = (key_feed(self._keys, namespace), ended_feed(self._ended, namespace))
        self._follower = Follower(self._connection, self._feeds)

    async def __aenter__(self) -> Self:
        """Read keys and ended sessions. Raises MissingTopic and AuthUnavailable."""
        places = await self._connection.places(feed.topic for feed in self._feeds)
        await self._follower.start(places)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop following."""
        await self._follower.stop()

    def verify(self, token: str) -> Claims:
        """What the token says.

        Raises TokenInvalid (`reason`), TokenExpired, TokenRevoked when its session has ended, and
        FeedStale when that cannot be known, which is so outside of `async with`.
        """
        return self._checker.verify(token)

    @property
    def staleness(self) -> timedelta:
        """How far its knowledge of ended sessions is behind, for health and alerts.

        A second or so while the service's relay works.
        """
        return self._ended.age(datetime.now(UTC))

    def require(
        self, token: str, permission: str, *, max_age: float | None = None, amr: str | None = None
    ) -> Claims:
        """What a token says that permits this, for example `orders:write`.

        With `max_age` the user has authenticated no more than so many seconds ago, with `amr` in
        this way (`mfa`: by a second factor). Raises PermissionMissing for a good token without the
        permission, StepUpRequired for one that does not show that, and what `verify` raises.
        """
        return self._checker.require(token, permission, max_age=max_age, amr=amr)
