"""From a record to an event."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authbus.contract import EVENTS
from authbus.envelope import read_headers
from authbus.kafka.following import Record
from authbus.kafka.guarding import is_readable, tell_passed_over
from authbus.message import Event
from authbus.strict_json import read_json


@dataclass(frozen=True, slots=True)
class Gap:
    """Events of this user are missing: `expected` should have come, `got` came."""

    expected: int
    got: int


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event with its place. `gap` is set when events of the same user were missed before it.

    `traceparent` is W3C's trace context of what caused it, for a span of your own.
    """

    id: UUID
    type: str
    time: datetime
    data: Event
    topic: str
    partition: int
    offset: int
    gap: Gap | None = None
    traceparent: str | None = None

    @property
    def user_id(self) -> UUID:
        """Whom it is about."""
        return self.data.user_id

    @property
    def sequence(self) -> int:
        """Which of the user's events it is, counted from 1."""
        return self.data.sequence

    @property
    def causation_id(self) -> UUID:
        """The command that caused it."""
        return self.data.causation_id

    @property
    def known(self) -> bool:
        """Whether this version knows the type; else `data` is a bare Event."""
        return self.type in EVENTS


def read_event(record: Record) -> StreamEvent:
    """The event of a record. Raises ValueError for what is none."""
    headers = read_headers(record.headers)
    kind = headers.get("ce_type", "")
    data = EVENTS.get(kind, Event).model_validate(read_json(record.value or b""))
    time = datetime.fromisoformat(headers.get("ce_time", ""))
    if time.tzinfo is None:
        raise ValueError("a time without its zone")
    return StreamEvent(
        id=UUID(headers.get("ce_id", "")),
        type=kind,
        time=time,
        data=data,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        traceparent=headers.get("traceparent"),
    )


def readable_event(record: Record) -> StreamEvent | None:
    """The event of a record; None for what is none, which is logged."""
    if not is_readable(record):
        return None
    try:
        return read_event(record)
    except ValueError as error:
        tell_passed_over(record, error)
        return None
