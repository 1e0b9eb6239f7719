"""JSON Schemas of record headers (CloudEvents 1.0, Kafka binding, binary mode) and record keys."""

from authbus import topics
from authbus.envelope import EVENT_SOURCE, JSON_TYPE, SEALED_TYPE
from authbus.message import Message
from authbus.specification.messages import Kind
from authbus.specification.schemas import DIALECT, Json
from authbus.topics import Topic

_TIME: Json = {"type": "string", "format": "date-time"}
_TEXT: Json = {"type": "string", "maxLength": 256}

_CLOUD_EVENT: Json = {
    "ce_specversion": {"const": "1.0", "type": "string"},
    "ce_id": {"type": "string", "format": "uuid"},
    "ce_type": {"type": "string", "pattern": r"^authbus\.[A-Z][A-Za-z]*\.v[1-9][0-9]*$"},
    "ce_source": {"type": "string"},
    "ce_time": _TIME,
    "traceparent": {"type": "string", "description": "W3C Trace Context, passed on."},
}
_OF_COMMANDS: Json = {
    "content-type": {"const": SEALED_TYPE, "type": "string"},
    "ce_id": {
        "type": "string",
        "format": "uuid",
        "description": "The command's identity: a UUIDv7, made once and kept for every retry.",
    },
    "ce_source": {"type": "string", "pattern": "^/clients/[^/]+$"},
    "ce_expirytime": {**_TIME, "description": "After it nothing happens; 15 minutes at most."},
    "reply_to": {**_TEXT, "description": "The client's declared reply topic."},
    "reply_partition": {"type": "string", "pattern": "^[0-9]+$"},
    "correlation_id": {**_TEXT, "description": "Comes back with the reply as it was."},
    "kafka_replyTopic": {**_TEXT, "description": "Spring's name for `reply_to`."},
    "kafka_replyPartition": {"description": "Spring's: four bytes, big-endian, not text."},
    "kafka_correlationId": {"description": "Spring's: any bytes, they come back as they were."},
}
_CAUSE: Json = {
    "ce_causationid": {
        "type": "string",
        "format": "uuid",
        "description": "The `ce_id` of the command that caused it.",
    }
}
_OF_REPLIES: Json = {
    **_CAUSE,
    "content-type": {"enum": [JSON_TYPE, SEALED_TYPE], "type": "string"},
    "ce_source": {"const": EVENT_SOURCE, "type": "string"},
    "correlation_id": {**_TEXT, "description": "The command's, as it was."},
    "kafka_correlationId": {"description": "The command's, byte for byte."},
}
_OF_RECORDS: Json = {
    **_CAUSE,
    "content-type": {"const": JSON_TYPE, "type": "string"},
    "ce_source": {"const": EVENT_SOURCE, "type": "string"},
    "ce_subject": {"type": "string", "description": "What the record is about, as in its key."},
}
_ALWAYS = ["ce_id", "ce_source", "ce_specversion", "ce_time", "ce_type", "content-type"]

NAMES = {
    Kind.COMMAND: "CommandHeaders",
    Kind.REPLY: "ReplyHeaders",
    Kind.EVENT: "EventHeaders",
    Kind.STATE: "StateHeaders",
}
_PROPERTIES = {
    Kind.COMMAND: _OF_COMMANDS,
    Kind.REPLY: _OF_REPLIES,
    Kind.EVENT: _OF_RECORDS,
    Kind.STATE: _OF_RECORDS,
}
_ALSO = {
    Kind.COMMAND: ["ce_expirytime"],
    Kind.REPLY: ["ce_causationid"],
    Kind.EVENT: ["ce_causationid", "ce_subject"],
    Kind.STATE: ["ce_subject"],
}


def schema(kind: Kind) -> Json:
    """The headers of one kind of message, every value as its UTF-8 text; other headers may come."""
    return {
        "title": NAMES[kind],
        "type": "object",
        "properties": {**_CLOUD_EVENT, **_PROPERTIES[kind]},
        "required": sorted(_ALWAYS + _ALSO[kind]),
    }


def document(kind: Kind) -> Json:
    """The spec file of one kind's headers."""
    return {"$schema": DIALECT, "$id": f"urn:authbus:schema:{NAMES[kind]}.v1", **schema(kind)}


def of_message(kind: Kind, model: type[Message], prefix: str) -> Json:
    """The headers of one message: those of its kind, with its `ce_type`."""
    narrowed = {"ce_type": {"const": model.wire_type()}}
    return {"type": "object", "allOf": [{"$ref": prefix + NAMES[kind]}, {"properties": narrowed}]}


def key(topic: Topic | None) -> Json:
    """The record key, as text."""
    if topic is None:
        return {"type": "string", "description": topics.replies("").key}
    if topic.key == "user id":
        return {"type": "string", "format": "uuid", "description": topic.key}
    return {"type": "string", "description": topic.key}
