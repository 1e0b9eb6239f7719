"""A stand-in for the service: opens seals and answers, keeps nothing, and is told how to behave."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4, uuid5

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authbus import topics
from authbus.envelope import JSON_TYPE, SEALED_TYPE, Header, Sealed, cloud_event
from authbus.events import UserCreated
from authbus.kafka.connection import Connection
from authbus.message import Message, Reply
from authbus.replies import Code, LoggedIn, LoggedOut, Registered, Rejected
from authbus.sealing import Seal, public_jwk, seal
from authbus.signing import public_jwk as public_okp
from authbus.signing import sign, thumbprint
from authbus.state import FeedAlive, SessionRevoked
from authbus.strict_json import read_json
from authbus.topics import Topic
from authbus.trust import sign_key
from authbus_service.cluster import Admin
from authbus_service.cluster.admin import NewlyWanted

CLIENT = "web"
PARTITIONS = dict.fromkeys(
    (each.suffix for each in (topics.EVENTS, topics.SESSIONS_ENDED, topics.USERS_STATE)), 2
)
NEEDED = (
    topics.CREDENTIALS,
    topics.SESSIONS,
    topics.ACCOUNTS,
    topics.KEYS_STATE,
    topics.SESSIONS_ENDED,
    topics.EVENTS,
    topics.replies(CLIENT),
)


@dataclass
class StandIn:
    """What a test may look at and change while it runs."""

    servers: str
    namespace: str
    root: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    mute: bool = False
    busy: int = 0
    commands: list[Sealed] = field(default_factory=list[Sealed])
    values: list[bytes] = field(default_factory=list[bytes])
    keys: list[bytes] = field(default_factory=list[bytes])
    producer: AIOKafkaProducer = field(init=False)

    def __post_init__(self) -> None:
        self.sealing = generate_private_key(SECP256R1())

    @property
    def trust(self) -> str:
        """The root's thumbprint."""
        return thumbprint(self.root.public_key())

    @asynccontextmanager
    async def running(self, *, make: bool = True) -> AsyncGenerator[Self]:
        """Keys published, a heartbeat on every partition, commands answered."""
        if make:
            await self.make_topics(NEEDED)
        self.producer = AIOKafkaProducer(bootstrap_servers=self.servers)
        async with self.producer:
            await self.publish_keys()
            await self.beat()
            connection = Connection(self.servers, "stand-in")
            consumer = connection.consumer()
            await connection.open(consumer)
            consumer.subscribe([self.name(topics.CREDENTIALS), self.name(topics.SESSIONS)])
            task = asyncio.create_task(self._serve(consumer))
            try:
                yield self
            finally:
                task.cancel()
                await asyncio.wait([task])
                await connection.close(consumer)
            if not task.cancelled():
                task.result()

    def name(self, topic: Topic) -> str:
        """A topic in this namespace."""
        return topic.name(self.namespace)

    async def make_topics(self, wanted: Iterable[Topic]) -> None:
        """Create these, small."""
        new = [
            NewlyWanted(self.name(topic), PARTITIONS.get(topic.suffix, 1), 1, topic.config)
            for topic in wanted
        ]
        async with Admin.connect(self.servers, {}) as admin:
            await admin.create(new)
            # The controller has made them before every broker knows.
            async with asyncio.timeout(10):
                names = [each.name for each in new]
                while len(await admin.topics(names)) < len(new):  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.01)

    async def publish_keys(self) -> None:
        """One key to seal for and one that signs."""
        at = datetime.now(UTC)
        for kid, use, jwk in (
            ("e1", "enc", public_jwk(self.sealing.public_key())),
            ("s1", "sig", public_okp(self.signing.public_key())),
        ):
            fields = {"kid": kid, "use": use, "jwk": jwk, "not_before": at}
            await self.tell(topics.KEYS_STATE, kid, sign_key(fields, self.root))

    async def beat(self, at: datetime | None = None) -> None:
        """A sign of life on each partition of the ended sessions."""
        alive = FeedAlive(published_through=at or datetime.now(UTC))
        for partition in range(PARTITIONS[topics.SESSIONS_ENDED.suffix]):
            await self.tell(topics.SESSIONS_ENDED, "alive", alive, partition)

    async def end(self, session_id: UUID, partition: int | None = None) -> None:
        """Say that a session ended."""
        revoked = SessionRevoked(session_id=session_id, user_id=uuid4(), ended_at=datetime.now(UTC))
        await self.tell(topics.SESSIONS_ENDED, str(session_id), revoked, partition)

    async def tell(
        self,
        topic: Topic,
        key: str,
        message: Message,
        partition: int | None = None,
        *,
        kind: str | None = None,
        event_id: UUID | None = None,
    ) -> None:
        """Write one event or state record."""
        headers = cloud_event(
            id=event_id or uuid4(),
            type=kind or message.wire_type(),
            source="/authbus",
            time=datetime.now(UTC),
            extra={"content-type": JSON_TYPE},
        )
        value = json.dumps(message.to_json()).encode()
        await self.producer.send_and_wait(
            self.name(topic), value, key=key.encode(), partition=partition, headers=headers
        )

    def token(self, session_id: UUID, **claims: Any) -> str:
        """An access token as the service makes it."""
        now = int(datetime.now(UTC).timestamp())
        body = {
            "iss": f"authbus/{self.namespace}",
            "sub": str(uuid4()),
            "sid": str(session_id),
            "aud": [CLIENT],
            "client_id": CLIENT,
            "iat": now,
            "exp": now + 600,
            "auth_time": now,
            "jti": str(uuid4()),
            "amr": ["pwd"],
            "roles": [],
        }
        return sign({"typ": "at+jwt", "kid": "s1"}, {**body, **claims}, self.signing)

    async def _serve(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            self.values.append(record.value or b"")
            self.keys.append(record.key or b"")
            payload = Seal.read(record.value or b"").open(self.sealing)
            command = Sealed.model_validate(read_json(payload))
            self.commands.append(command)
            if not self.mute:
                await self._answer(command)

    async def _answer(self, command: Sealed) -> None:
        if self.busy:
            self.busy -= 1
            reply: Reply = Rejected.because(Code.BUSY)
        else:
            reply = self._reply(command)
        value = json.dumps(reply.to_json()).encode()
        sealed = not isinstance(reply, Rejected)
        if sealed:
            value = seal(value, command.reply_key or {})
        await self.send_reply(command, reply.wire_type(), value, sealed=sealed)

    async def send_reply(self, command: Sealed, kind: str, value: bytes, *, sealed: bool) -> None:
        """One reply record."""
        headers: list[Header] = cloud_event(
            id=uuid4(),
            type=kind,
            source="/authbus",
            time=datetime.now(UTC),
            extra={
                "content-type": SEALED_TYPE if sealed else JSON_TYPE,
                "ce_causationid": str(command.id),
                "correlation_id": command.correlation_id,
            },
        )
        key = (command.correlation_id or "").encode()
        await self.producer.send_and_wait(command.reply_to or "", value, key=key, headers=headers)

    def _reply(self, command: Sealed) -> Reply:
        user_id = uuid5(command.id, "user")
        if command.data.get("password") == "wrong":
            return Rejected.because(Code.INVALID_CREDENTIALS, "no such account and password")
        match command.type:
            case "authbus.RegisterUser.v1":
                return Registered(user_id=user_id)
            case "authbus.LogIn.v1":
                return self._logged_in(user_id, uuid5(command.id, "session"))
            case _:
                return LoggedOut(session_id=UUID(command.data["session_id"]))

    def _logged_in(self, user_id: UUID, session_id: UUID) -> LoggedIn:
        now = datetime.now(UTC)
        return LoggedIn.model_validate(
            {
                "user_id": user_id,
                "session_id": session_id,
                "access_token": self.token(session_id, sub=str(user_id)),
                "access_token_expires_at": now + timedelta(minutes=10),
                "refresh_token": "an-opaque-refresh-token",
                "session_expires_at": now + timedelta(days=30),
            }
        )


async def until(happened: Callable[[], bool]) -> None:
    """Wait for something that a test can only look at."""
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


def created(user_id: UUID, sequence: int) -> UserCreated:
    """Any event of a user."""
    return UserCreated(
        user_id=user_id, sequence=sequence, actor=f"user:{user_id}", causation_id=uuid4()
    )
