"""From a command to its sealed record."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from authbus.contract import topic_of
from authbus.envelope import LONGEST_LIFE, Header, Sealed, source_of
from authbus.errors import AuthRejected
from authbus.message import Command
from authbus.replies import Code
from authbus.sealing import ReplyKey, SealError, seal
from authbus.topics import replies
from authbus.tracing import current_traceparent
from authbus.uuid7 import time_of


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record as it is sent, however often, and the key for its answer."""

    topic: str
    key: bytes
    value: bytes = field(repr=False)
    headers: list[Header]
    command_id: UUID
    correlation_id: str
    reply_key: ReplyKey


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, in which namespace."""

    client_id: str
    namespace: str

    @property
    def reply_topic(self) -> str:
        """Where this client is answered."""
        return replies(self.client_id).name(self.namespace)

    def outgoing(
        self,
        command: Command,
        *,
        key: str,
        command_id: UUID,
        correlation_id: str | None,
        life: timedelta,
        sealing_key: Mapping[str, str],
        reply_key: ReplyKey | None = None,
    ) -> Outgoing:
        """The record of a command for which somebody waits for so long from now.

        `reply_key` is a new one unless it is given.

        Raises ValueError for an id that is not a UUIDv7, AuthRejected for what no record can hold.
        """
        at = time_of(command_id)
        reply_key = reply_key or ReplyKey()
        envelope = Sealed(
            id=command_id,
            type=command.wire_type(),
            source=source_of(self.client_id),
            time=at,
            expirytime=min(datetime.now(UTC) + life, at + LONGEST_LIFE),
            reply_to=self.reply_topic,
            correlation_id=correlation_id or str(command_id),
            reply_key=reply_key.public,
            data=command.to_json(),
        )
        return Outgoing(
            topic=topic_of(type(command)).name(self.namespace),
            key=key.encode(),
            value=_sealed(envelope, sealing_key),
            headers=[*envelope.headers(), *_traced()],
            command_id=command_id,
            correlation_id=correlation_id or str(command_id),
            reply_key=reply_key,
        )


def _sealed(envelope: Sealed, key: Mapping[str, str]) -> bytes:
    # Refused after the handlers: the codec's error carries the whole command.
    try:
        # Not in ASCII, where one letter may take twelve bytes.
        text = json.dumps(envelope.to_json(), ensure_ascii=False, separators=(",", ":"))
        return seal(text.encode(), key)
    except UnicodeEncodeError:
        detail = "a text holds half a surrogate pair"
    except SealError:
        detail = "larger than a command may be"
    raise AuthRejected(Code.INVALID, detail, retryable=False, command_id=envelope.id)


def _traced() -> list[Header]:
    traceparent = current_traceparent()
    return [] if traceparent is None else [("traceparent", traceparent.encode())]
