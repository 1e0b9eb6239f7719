"""A producer by hand: makes any command's record, right or wrong, and reads what comes back."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from authbus.contract import REPLIES, topic_of
from authbus.envelope import Header, Sealed, read_headers
from authbus.message import Command, Reply
from authbus.sealing import ReplyKey, seal
from authbus_service.core.ids import new_id

LIFE = timedelta(minutes=5)


@dataclass(frozen=True)
class Draft:
    """One record before it is sent; every part can be replaced."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes | None]]
    id: UUID
    reply_key: ReplyKey = field(default_factory=ReplyKey)

    def but(self, **changes: Any) -> "Draft":
        """The same with other parts."""
        return replace(self, **changes)

    def with_header(self, name: str, value: bytes | None) -> "Draft":
        """The same with one header replaced or added."""
        kept = [header for header in self.headers if header[0] != name]
        return self.but(headers=[*kept, (name, value)])


class Drafter:
    """Drafts as one declared client."""

    def __init__(self, namespace: str, jwk: Mapping[str, str], client: str) -> None:
        self.namespace, self.client = namespace, client
        self._jwk = jwk

    @property
    def reply_topic(self) -> str:
        return f"{self.namespace}.replies.{self.client}"

    def seal_to(self, jwk: Mapping[str, str]) -> None:
        """Seal to another key from now on."""
        self._jwk = jwk

    def draft(
        self, command: Command, *, id_: UUID | None = None, key: bytes | None = None, **changes: Any
    ) -> Draft:
        """A right record of this command; `changes` replace fields of what is sealed."""
        data = {"data": command.to_json(), "type": type(command).wire_type(), **changes}
        topic = topic_of(type(command)).name(self.namespace)
        return self.sealed(topic, id_ or new_id(), key or b"k", **data)

    def sealed(self, topic: str, id_: UUID, key: bytes | None, **fields: Any) -> Draft:
        """A record with any payload at all."""
        reply_key = ReplyKey()
        now = datetime.now(UTC)
        payload = Sealed.model_validate(
            {
                "id": id_,
                "source": f"/clients/{self.client}",
                "time": now,
                "expirytime": now + LIFE,
                "reply_to": self.reply_topic,
                "correlation_id": str(id_),
                "reply_key": dict(reply_key.public),
                **fields,
            }
        )
        value = seal(payload.to_bytes(), self._jwk)
        return Draft(topic, key, value, payload.headers(), id_, reply_key)

    def around(self, payload: bytes, draft: Draft) -> Draft:
        """The draft's record with other bytes inside the seal."""
        return draft.but(value=seal(payload, self._jwk))


class Producer(Drafter):
    """Sends and listens too."""

    def __init__(self, servers: str, namespace: str, jwk: Mapping[str, str], client: str) -> None:
        super().__init__(namespace, jwk, client)
        self._servers = servers
        self._replies: dict[str, list[ConsumerRecord[bytes, bytes]]] = {}
        self._news = asyncio.Condition()
        self._sender = AIOKafkaProducer(bootstrap_servers=servers, linger_ms=0)
        self._listener = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")

    async def start(self) -> None:
        await self._sender.start()
        await self._listener.start()
        self._listener.assign([TopicPartition(self.reply_topic, 0)])
        self._task = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._listener.stop()
        await self._sender.stop()

    async def send(
        self, draft: Draft, *, partition: int | None = None, at: datetime | None = None
    ) -> Any:
        """Send it; `at` is a time for a topic that takes those it is given."""
        headers: Any = list[Header](draft.headers)  # pyright: ignore[reportArgumentType]
        return await self._sender.send_and_wait(
            draft.topic,
            draft.value,
            key=draft.key,
            headers=headers,
            partition=partition,
            timestamp_ms=None if at is None else int(at.timestamp() * 1000),
        )

    async def ask(self, draft: Draft, *, within: float = 10) -> Reply:
        """Send, and wait for the next answer to this command."""
        seen = len(self.answers(draft.id))
        await self.send(draft)
        await self._come(draft, seen + 1, within)
        return self.read(self.answers(draft.id)[-1], draft)

    async def heard(self, draft: Draft, count: int, *, within: float = 10) -> list[Reply]:
        """Wait for so many answers to this command and read them."""
        await self._come(draft, count, within)
        return [self.read(record, draft) for record in self.answers(draft.id)]

    async def _come(self, draft: Draft, count: int, within: float) -> None:
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: len(self.answers(draft.id)) >= count)

    def answers(self, id_: UUID) -> list[ConsumerRecord[bytes, bytes]]:
        """The raw answers so far."""
        return self._replies.get(str(id_), [])

    def read(self, record: ConsumerRecord[bytes, bytes], draft: Draft) -> Reply:
        headers = read_headers(record.headers)
        value = record.value or b""
        if headers["content-type"] == "application/jose":
            value = draft.reply_key.open(value)
        return REPLIES[headers["ce_type"]].model_validate(json.loads(value))

    async def _listen(self) -> None:
        async for record in self._listener:
            async with self._news:
                caused_by = read_headers(record.headers)["ce_causationid"]
                self._replies.setdefault(caused_by, []).append(record)
                self._news.notify_all()
