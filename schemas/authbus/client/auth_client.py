"""AuthClient: register, log in, log out and verify, over Kafka."""

from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self
from uuid import UUID

from pydantic import SecretStr

from authbus.client.account_calls import AccountCalls
from authbus.client.admin_calls import AdminCalls
from authbus.client.asking import Asker
from authbus.client.calling import Caller
from authbus.client.calls import Calls
from authbus.client.email_calls import EmailCalls
from authbus.client.factor_calls import FactorCalls
from authbus.client.lanes import Lanes
from authbus.client.outgoing import Sender
from authbus.client.password_calls import PasswordCalls
from authbus.client.profile_calls import ProfileCalls
from authbus.client.results import Session, User
from authbus.client.service_calls import ServiceCalls
from authbus.client.session_calls import SessionCalls
from authbus.commands import LogIn, LogOut, RefreshSession, RegisterUser
from authbus.connection import Connection
from authbus.ended_sessions import EndedSessions
from authbus.following import Feed, Follower
from authbus.message import Command, Reply
from authbus.public_keys import PublicKeys
from authbus.replies import LoggedIn, LoggedOut, Refreshed, Registered
from authbus.security import Security
from authbus.tokens import Claims, OnStale, Rules, TokenChecker
from authbus.topics import ACCOUNTS, CREDENTIALS, DEFAULT_NAMESPACE, SESSIONS
from authbus.trust import Trust
from authbus.uuid7 import uuid7
from authbus.verifier import MAX_STALENESS, ended_feed, key_feed

TIMEOUT = 15.0
# The topic of administrators is looked for when first used: most clients may not see it.
_WRITTEN = (CREDENTIALS, SESSIONS, ACCOUNTS)


class AuthClient:
    """Commands as awaitable calls, thousands at a time; tokens are verified offline.

    Every call takes `command_id` (a UUIDv7): after AuthTimeout the same call with the same id, from
    this or another process, has its effect once and gives the same answer. `timeout` is in seconds.
    `trust` are the thumbprints of the service's root keys. Clients that share `lane_secret` keep
    the order of commands about one address among them. `audience` and the options behind it are
    those of Verifier. `security` is how Kafka is reached; without it in the clear.
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
        self._timeout, self._lanes = timeout, Lanes(lane_secret)
        self._calls, self._ended = Calls(), EndedSessions()
        self._keys = PublicKeys(Trust(trust))
        self._sender = Sender(client_id, namespace)
        self._connection = Connection(bootstrap_servers, client_id, security, timeout)
        rules = Rules(
            issuer=issuer or f"authbus/{namespace}",
            audience=audience or client_id,
            max_staleness=timedelta(seconds=max_staleness),
            on_stale=on_stale,
        )
        self._checker = TokenChecker(rules, self._keys, self._ended)
        self._ended_feed = ended_feed(self._ended, namespace)
        replies = Feed(self._sender.reply_topic, "end", self._calls.read)
        self._feeds = (replies, self._ended_feed, key_feed(self._keys, namespace))
        self._follower = Follower(self._connection, self._feeds)
        self._asker = Asker(self._connection, self._sender, self._keys, self._calls)
        self._call = Caller(self._asker, timeout)
        self.sessions = SessionCalls(self._call)
        self.passwords = PasswordCalls(self._call, self._lanes)
        self.profile = ProfileCalls(self._call)
        self.email = EmailCalls(self._call)
        self.admin, self.account = AdminCalls(self._call), AccountCalls(self._call)
        self.factors = FactorCalls(self._call, self._lanes)
        self.services = ServiceCalls(self._call)

    async def __aenter__(self) -> Self:
        """Connect, and read what there is of keys. Raises MissingTopic and AuthUnavailable."""
        written = {topic.name(self._sender.namespace) for topic in _WRITTEN}
        places = await self._connection.places({*written, *(feed.topic for feed in self._feeds)})
        self._ended.expect(places[self._ended_feed.topic])
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

    async def register(
        self,
        email: str,
        password: str,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> User:
        """Make an account. Raises AuthRejected (`email_taken`, `password_too_short` ...)."""
        reply = await self._call(
            lambda: RegisterUser(email=email, password=SecretStr(password)),
            Registered,
            key=self._lanes.key(email),
            command_id=command_id,
            timeout=timeout,
        )
        return User(reply.user_id)

    async def log_in(
        self,
        email: str,
        password: str,
        *,
        device: str | None = None,
        ip_address: str | None = None,
        device_token: str | None = None,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> Session:
        """Start a session. Raises AuthRejected: `invalid_credentials` whatever is wrong.

        Raises SecondFactorNeeded where the user has one: `factors.complete_log_in` goes on.

        `device` and `ip_address` are shown to the user in the list of their sessions.
        `device_token` is what an earlier session on the same device came with.
        """
        secret = SecretStr(password)
        known = None if device_token is None else SecretStr(device_token)
        reply = await self._call(
            lambda: LogIn(
                email=email,
                password=secret,
                device=device,
                ip_address=ip_address,
                device_token=known,
            ),
            LoggedIn,
            key=self._lanes.key(email),
            command_id=command_id,
            timeout=timeout,
        )
        return Session.of(reply)

    async def refresh(
        self,
        session: Session,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> Session:
        """New tokens for a session; those held before are used up, so keep what this returns.

        Raises AuthRejected: `invalid_token` when the session is over, `token_rotated` when another
        call has just refreshed it. After AuthTimeout call with its `command_id` again.
        """
        token = SecretStr(session.refresh_token)
        reply = await self._call(
            lambda: RefreshSession(session_id=session.session_id, refresh_token=token),
            Refreshed,
            key=str(session.session_id),
            command_id=command_id,
            timeout=timeout,
        )
        return Session.of(reply, session.device_token)

    async def log_out(
        self,
        session: Session,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> None:
        """End a session; no error when it has ended. This client refuses its tokens from now on."""
        token = SecretStr(session.refresh_token)
        reply = await self._call(
            lambda: LogOut(session_id=session.session_id, refresh_token=token),
            LoggedOut,
            key=str(session.session_id),
            command_id=command_id,
            timeout=timeout,
        )
        self._ended.note(reply.session_id, datetime.now(UTC))

    async def send(
        self,
        command: Command,
        *,
        key: str,
        command_id: UUID | None = None,
        correlation_id: str | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """Send any command under a record key and wait for its answer.

        A refusal that may pass is answered by sending the same record again, until the time is up.
        Raises AuthRejected, AuthTimeout and AuthUnavailable; ValueError for an id of another kind.
        """
        return await self._asker.ask(
            command,
            key=key,
            command_id=command_id or uuid7(),
            correlation_id=correlation_id,
            seconds=self._timeout if timeout is None else timeout,
        )

    def verify(self, token: str) -> Claims:
        """What an access token for this client's audience says; see Verifier.verify."""
        return self._checker.verify(token)
