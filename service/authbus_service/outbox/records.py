"""What is told as a row of the outbox."""

from datetime import datetime
from uuid import UUID

from authbus.envelope import own_headers
from authbus.message import Message
from authbus.topics import Topic
from authbus_service.outbox.repository import Record

# In the place of a topic, in the dead letter of a row that never fits into a record.
OUTBOX = "outbox"


def record_of(
    topic: Topic,
    key: str,
    wire_type: str,
    told: Message | None,
    *,
    id_: UUID,
    at: datetime,
    cause: UUID | None = None,
    traceparent: str | None = None,
) -> Record:
    """What the topic is to say of this key; None is a tombstone. A state may have no cause."""
    trace = {"traceparent": traceparent}
    return Record(
        id=id_,
        topic=topic,
        key=key,
        type=wire_type,
        payload=None if told is None else told.to_bytes(),
        headers=own_headers(wire_type, id=id_, time=at, subject=key, cause=cause, extra=trace),
    )
