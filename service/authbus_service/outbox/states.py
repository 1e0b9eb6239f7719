"""A record of a compacted topic that nothing caused: no event goes with it."""

from datetime import datetime

from authbus.envelope import EVENT_SOURCE, JSON_TYPE, cloud_event
from authbus.message import Message
from authbus.topics import Topic
from authbus_service.core.ids import new_id
from authbus_service.outbox.repository import Record


def state_record(
    topic: Topic, key: str, kind: type[Message], told: Message | None, at: datetime
) -> Record:
    """What the topic is to say of this key from now on; None is a tombstone."""
    id_ = new_id()
    headers = cloud_event(
        id=id_,
        type=kind.wire_type(),
        source=EVENT_SOURCE,
        time=at,
        subject=key,
        extra={"content-type": JSON_TYPE},
    )
    return Record(
        id=id_,
        topic=topic,
        key=key,
        type=kind.wire_type(),
        payload=None if told is None else told.model_dump_json(exclude_none=True).encode(),
        headers=headers,
    )
