"""AuthClient: register, log in, log out and verify, over Kafka."""

from datetime import timedelta
from types import TracebackType
from typing import Self

from authbus.client.asking import Asker
from authbus.client.auth_calls import AuthCalls, Means
from authbus.client.lanes import Lanes
from authbus.client.outgoing import Sender
from authbus.client.pending import PendingCalls
from authbus.ended_sessions import EndedSessions
from authbus.kafka.connection import Connection
from authbus.kafka.following import Feed, Follower
from authbus.kafka.security import Security
from authbus.public_keys import PublicKeys
from authbus.tokens import OnStale, Rules, TokenChecker
from authbus.topics import ACCOUNTS, CREDENTIALS, DEFAULT_NAMESPACE, SESSIONS
from authbus.trust import Trust
from authbus.verifier import MAX_STALENESS, ended_feed, key_feed

TIMEOUT = 15.0
# The topic of administrators is looked for when first used: most clients may not see it.
_WRITTEN = (CREDENTIALS, SESSIONS, ACCOUNTS)


class AuthClient(AuthCalls):
    """Commands as awaitable calls, thousands at a time; tokens are verified offline.

    Every call takes `command_id` (a UUIDv7): after AuthTimeout the same call with the same id,
    within ten minutes, from this or another process, has its effect once and gives the same answer.
    `timeout` is in seconds.
    `trust` are the thumbprints of the service's root keys. Clients that share `lane_secret` keep
    the order of commands about one address among them. `audience` and the options behind it are
    those of Verifier. `security` is how Kafka is reached; without it in the clear.

    One client has one connection, for as long as its program runs:

        async with AuthClient("localhost:9092", client_id="web", trust="...") as auth:
            session = await auth.log_in("ana@example.com", "correct horse battery")
            claims = auth.verify(session.access_token)

    It connects anew by itself when Kafka has been away. Calls that wait are sent again and answered
    when it is back, or raise AuthTimeout at their time.
    """

    def __init__(  # noqa: PLR0913 - each is a name of its own and has a default
        self,
        bootstrap_servers: str,
        *,
        client_id: str,
        trust: tuple[str, ...] | str | None = None,
        namespace: str = DEFAULT_NAMESPACE,
        timeout: float = TIMEOUT,
        lane_secret: bytes | None = None,
        audience: str | None = None,
        issuer: str | None = None,
        max_staleness: float = MAX_STALENESS,
        on_stale: OnStale = "reject",
        security: Security | None = None,
    ) -> None:
        self._pending, self._ended = PendingCalls(), EndedSessions()
        self._keys = PublicKeys(Trust(trust))
        self._sender = Sender(client_id, namespace)
        self._connection = Connection(bootstrap_servers, client_id, security, timeout)
        rules = Rules(
            issuer=issuer or f"authbus/{namespace}",
            audience=audience or client_id,
            max_staleness=timedelta(seconds=max_staleness),
            on_stale=on_stale,
        )
        replies = Feed(self._sender.reply_topic, "end", self._pending.read)
        ended = ended_feed(self._ended, namespace)
        self._feeds = (replies, ended, key_feed(self._keys, namespace))
        self._follower = Follower(self._connection, self._feeds)
        self._asker = Asker(self._connection, self._sender, self._keys, self._pending)
        checker = TokenChecker(rules, self._keys, self._ended)
        super().__init__(Means(self._asker, checker, self._ended, timeout, Lanes(lane_secret)))

    async def __aenter__(self) -> Self:
        """Connect, and read what there is of keys. Raises MissingTopic and AuthUnavailable."""
        written = {topic.name(self._sender.namespace) for topic in _WRITTEN}
        places = await self._connection.places({*written, *(feed.topic for feed in self._feeds)})
        await self._follower.start(places)
        try:
            await self._asker.start(written)
        except BaseException:
            await self._follower.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the calls that wait and disconnect."""
        try:
            await self._asker.stop()
        finally:
            await self._follower.stop()
