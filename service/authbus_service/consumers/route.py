"""Where an answer goes, and the records that are answers."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid5

from authbus.envelope import JSON_TYPE, SEALED_TYPE, Header, own_headers
from authbus.message import Reply
from authbus.replies import Code, Rejected
from authbus.sealing import SealError, seal
from authbus.state import DeadLetterReason
from authbus_service.consumers.arrival import Arrival


@dataclass(frozen=True, slots=True)
class Route:
    """A reply's way: topic None means that nobody waits. `key` is the one-time reply key."""

    topic: str | None
    partition: int | None
    correlation_id: str | None
    spring_correlation: bytes | None
    key: dict[str, str] | None = field(repr=False)
    command_id: UUID


@dataclass(frozen=True, slots=True)
class Saying:
    """One record to send: an answer or a dead letter."""

    topic: str
    partition: int | None
    key: bytes
    value: bytes = field(repr=False)
    headers: list[Header]


class Voice(Protocol):
    """Says answers and dead letters; see Speaker."""

    def answer(self, saying: Saying | None) -> None: ...
    async def answered(self, saying: Saying | None) -> None: ...
    async def bury(
        self, arrival: Arrival, reason: DeadLetterReason, command_id: str | None
    ) -> None: ...


def answer_of(route: Route, reply: Reply, at: datetime) -> Saying | None:
    """The reply as a record; None when nobody waits.

    All but a refusal is sealed where there is a key: it is known inside the command's seal alone,
    so that nobody else can have made what opens with it. What has secrets is not told without one.
    """
    if route.topic is None:
        return None
    value = reply.to_bytes()
    content_type = JSON_TYPE
    if reply.sealed or (route.key is not None and not isinstance(reply, Rejected)):
        try:
            value, content_type = seal(value, route.key or {}), SEALED_TYPE
        except SealError:
            why = "reply_key: none to seal to, or the answer is larger than a record may be"
            return answer_of(route, Rejected.because(Code.INVALID, why), at)
    headers = own_headers(
        reply.wire_type(),
        # A repeated answer to a repeated command is the same message.
        id=uuid5(route.command_id, reply.wire_type()),
        time=at,
        cause=route.command_id,
        extra={"content-type": content_type, "correlation_id": route.correlation_id},
    )
    if route.spring_correlation is not None:
        headers.append(("kafka_correlationId", route.spring_correlation))
    key = (route.correlation_id or str(route.command_id)).encode()
    return Saying(route.topic, route.partition, key, value, headers)
