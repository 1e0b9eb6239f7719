"""A record as it came: bytes and where they lay. Nothing here raises on what a stranger wrote."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from authbus.kafka.batches import fault
from authbus.kafka.following import Record
from authbus.sealing import LARGEST_SEAL
from authbus.state import DeadLetterReason
from authbus.topics import Topic
from authbus_service.consumers.bounded import size_of_headers
from authbus_service.core.clock import at_ms
from authbus_service.inbox.fence import Place

# Sixteen times what a command topic takes as a batch: only a bomb unpacks to more.
_MOST_OF_HEADERS = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Arrival:
    """One record of a command topic. `appended_at` is the broker's time.

    With a `fault` it stands for what could not be read, from `first_offset` to `offset`.
    """

    topic: Topic
    partition: int
    offset: int
    key: bytes | None = field(repr=False)
    value: bytes = field(repr=False)
    headers: Sequence[tuple[str, bytes | None]] = field(repr=False)
    appended_at: datetime
    fault: DeadLetterReason | None = None
    first_offset: int | None = None
    # The size and the digest of a value of which no more is held than tells that it is too large.
    whole: tuple[int, bytes] | None = None

    @property
    def place(self) -> Place:
        """The topic without its namespace, and the partition."""
        return self.topic.suffix, self.partition

    @property
    def lane(self) -> tuple[str, int, bytes | int]:
        """What keeps its order: the key in its partition; a record without a key is alone."""
        return *self.place, self.offset if self.key is None else self.key

    @property
    def digest(self) -> bytes:
        """SHA-256 of the value as received."""
        return _digest(self.value) if self.whole is None else self.whole[1]

    @property
    def size(self) -> int:
        """How many bytes the value had as received."""
        return len(self.value) if self.whole is None else self.whole[0]


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def arrival(topic: Topic, record: Record) -> Arrival:
    """What aiokafka's ConsumerRecord says, taken over untouched.

    Of headers that only a bomb has none is held: it is buried, since it names no command then. Of a
    value that is larger than any seal its beginning is, of such a key its digest.
    """
    found, first = fault(record.headers) or (None, None)
    key, value = record.key, record.value or b""
    is_large = len(value) > LARGEST_SEAL
    return Arrival(
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        key=_digest(key) if key is not None and len(key) > LARGEST_SEAL else key,
        value=value[: LARGEST_SEAL + 1],
        headers=record.headers if size_of_headers(record.headers) <= _MOST_OF_HEADERS else (),
        appended_at=at_ms(record.timestamp),
        fault=found,
        first_offset=first,
        whole=(len(value), _digest(value)) if is_large else None,
    )
