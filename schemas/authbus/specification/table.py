"""The table of the contract, for programs (contract.json) and for people (contract.md)."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from authbus import contract, topics
from authbus.message import Message
from authbus.replies import Code, Rejected
from authbus.specification import guide
from authbus.specification.marks import PERSONAL, SECRET, marked
from authbus.specification.messages import Entry, Kind, entries
from authbus.specification.schemas import Json
from authbus.specification.tables import code, section
from authbus.topics import Topic

_CLIENT = "<client>"
_INTRO = """\
# The contract

Made by `authbus spec` from the code; do not edit. Topic names are those of the namespace `auth`.
Commands are sealed as a whole: their value is one compact JWE. The schema of each message is in
the folder of its kind, an example record of each in `examples/`.
"""
_PSEUDONYMS = f"""\
Users' ids are pseudonyms. `{topics.AUDIT.name()}` has one more: an HMAC of the `ip_address` that a
command named, under a key of its month.
"""
_REJECTIONS = """\
## Rejection codes

`authbus.Rejected.v1` has one of the codes in [errors.md](errors.md): each with cause and cure, with
whether to ask again, and with the HTTP status by which a web back end passes it on.
"""


def as_json() -> Json:
    """The whole table as data. Topic names carry the default namespace."""
    return {
        "namespace": topics.DEFAULT_NAMESPACE,
        "commands": [_command(row) for row in contract.ROWS],
        "messages": {entry.model.wire_type(): _message(entry) for entry in entries()},
        "topics": {topic.name(): _topic(topic) for topic in _all_topics()},
        "rejections": {
            each.value: {"retryable": each.retryable, **asdict(each.meaning)} for each in Code
        },
    }


def as_markdown() -> str:
    """The same table for people."""
    parts = (
        _INTRO,
        section("Commands", _HEAD_OF_COMMANDS, map(_command_line, contract.ROWS)),
        section("Events and state", _HEAD_OF_RECORDS, map(_record_line, _records())),
        section("Fields that need care", _HEAD_OF_FIELDS, _field_lines()),
        section("Topics", _HEAD_OF_TOPICS, map(_topic_line, _all_topics()), _PSEUDONYMS),
        _REJECTIONS,
        guide.COMMAND,
        guide.TOKENS,
        guide.EVENTS,
    )
    return "\n".join(parts)


_HEAD_OF_COMMANDS = ("command", "topic", "key", "reply", "or", "events")
_HEAD_OF_RECORDS = ("message", "topic", "key")
_HEAD_OF_FIELDS = ("message", "personal", "secret")
_HEAD_OF_TOPICS = ("topic", "key", "partitions", "clean-up", "kept", "personal data in the clear")


def _all_topics() -> tuple[Topic, ...]:
    return (*topics.TOPICS, topics.replies(_CLIENT))


def _records() -> list[Entry]:
    return [entry for entry in entries() if entry.kind in {Kind.EVENT, Kind.STATE}]


def _command(row: contract.Row) -> Json:
    return {
        "command": row.command.wire_type(),
        "topic": row.topic.name(),
        "key": row.topic.key,
        "reply": row.reply.wire_type(),
        **({"other": row.other.wire_type()} if row.other else {}),
        "rejected": Rejected.wire_type(),
        "events": [event.wire_type() for event in row.events],
    }


def _message(entry: Entry) -> Json:
    topic = entry.topic or topics.replies(_CLIENT)
    return {
        "kind": entry.kind.value,
        "topic": topic.name(),
        "sealed": entry.sealed,
        "schema": f"{entry.kind.value}/{entry.name}.json",
        "example": f"examples/{entry.name}.json",
        "personal": marked(entry.model, PERSONAL),
        "secret": marked(entry.model, SECRET),
    }


def _topic(topic: Topic) -> Json:
    return {
        "key": topic.key,
        "partitions": topic.partitions,
        "config": dict(topic.config),
        "personal": topic.personal,
    }


def _name(model: type[Message]) -> str:
    return code(model.wire_type())


def _command_line(row: contract.Row) -> Sequence[str]:
    answers = (" or ".join(map(_name, row.replies)), _name(Rejected))
    events = ", ".join(_name(event) for event in row.events)
    return (_name(row.command), code(row.topic.name()), row.topic.key, *answers, events)


def _record_line(entry: Entry) -> Sequence[str]:
    topic = entry.topic or topics.EVENTS
    return (_name(entry.model), code(topic.name()), topic.key)


def _field_lines() -> Iterable[Sequence[str]]:
    for entry in entries():
        personal, secret = marked(entry.model, PERSONAL), marked(entry.model, SECRET)
        if personal or secret:
            yield _name(entry.model), ", ".join(personal), ", ".join(secret)


def _topic_line(topic: Topic) -> Sequence[str]:
    kept = topic.config.get("retention.ms")
    return (
        code(topic.name()),
        topic.key,
        str(topic.partitions),
        topic.config["cleanup.policy"],
        "for ever" if kept in {None, "-1"} else _span(int(kept or 0)),
        "yes" if topic.personal else "no",
    )


def _span(milliseconds: int) -> str:
    days, rest = divmod(milliseconds, topics.DAY_MS)
    return f"{days} days" if not rest else f"{milliseconds // 60_000} minutes"
