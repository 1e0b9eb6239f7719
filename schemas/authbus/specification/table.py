"""The table of the contract, for programs (contract.json) and for people (contract.md)."""

from collections.abc import Iterable, Sequence

from authbus import contract, topics
from authbus.message import Message
from authbus.replies import Code, Rejected
from authbus.specification import guide
from authbus.specification.codes import MEANINGS
from authbus.specification.marks import PERSONAL, SECRET, marked
from authbus.specification.messages import Entry, Kind, entries
from authbus.specification.schemas import Json
from authbus.topics import Topic

_CLIENT = "<client>"
_INTRO = """\
# The contract

Made by `authbus spec` from the code; do not edit. Topic names are those of the namespace `auth`.
Commands are sealed as a whole: their value is one compact JWE. The schema of each message is in
the folder of its kind, an example record of each in `examples/`.
"""


def as_json() -> Json:
    """The whole table as data. Topic names carry the default namespace."""
    return {
        "namespace": topics.DEFAULT_NAMESPACE,
        "commands": [_command(row) for row in contract.ROWS],
        "messages": {entry.model.wire_type(): _message(entry) for entry in entries()},
        "topics": {topic.name(): _topic(topic) for topic in _all_topics()},
        "rejections": {
            code.value: {"retryable": code.retryable, "meaning": MEANINGS[code]} for code in Code
        },
    }


def as_markdown() -> str:
    """The same table for people."""
    parts = (
        _INTRO,
        _section("Commands", _HEAD_OF_COMMANDS, map(_command_line, contract.ROWS)),
        _section("Events and state", _HEAD_OF_RECORDS, map(_record_line, _records())),
        _section("Fields that need care", _HEAD_OF_FIELDS, _field_lines()),
        _section("Topics", _HEAD_OF_TOPICS, map(_topic_line, _all_topics())),
        _section("Rejection codes", _HEAD_OF_CODES, map(_code_line, Code)),
        guide.COMMAND,
        guide.TOKENS,
        guide.EVENTS,
    )
    return "\n".join(parts)


_HEAD_OF_COMMANDS = ("command", "topic", "key", "reply", "or", "events")
_HEAD_OF_RECORDS = ("message", "topic", "key")
_HEAD_OF_FIELDS = ("message", "personal", "secret")
_HEAD_OF_TOPICS = ("topic", "key", "partitions", "clean-up", "kept", "personal data")
_HEAD_OF_CODES = ("code", "again?", "meaning")


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


def _section(title: str, head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return f"## {title}\n\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _code(text: str) -> str:
    return f"`{text}`"


def _name(model: type[Message]) -> str:
    return _code(model.wire_type())


def _command_line(row: contract.Row) -> Sequence[str]:
    answers = (" or ".join(map(_name, row.replies)), _name(Rejected))
    events = ", ".join(_name(event) for event in row.events)
    return (_name(row.command), _code(row.topic.name()), row.topic.key, *answers, events)


def _record_line(entry: Entry) -> Sequence[str]:
    topic = entry.topic or topics.EVENTS
    return (_name(entry.model), _code(topic.name()), topic.key)


def _field_lines() -> Iterable[Sequence[str]]:
    for entry in entries():
        personal, secret = marked(entry.model, PERSONAL), marked(entry.model, SECRET)
        if personal or secret:
            yield _name(entry.model), ", ".join(personal), ", ".join(secret)


def _topic_line(topic: Topic) -> Sequence[str]:
    kept = topic.config.get("retention.ms")
    return (
        _code(topic.name()),
        topic.key,
        str(topic.partitions),
        topic.config["cleanup.policy"],
        "for ever" if kept in {None, "-1"} else _span(int(kept or 0)),
        "yes" if topic.personal else "none",
    )


def _span(milliseconds: int) -> str:
    days, rest = divmod(milliseconds, topics.DAY_MS)
    return f"{days} days" if not rest else f"{milliseconds // 60_000} minutes"


def _code_line(code: Code) -> Sequence[str]:
    return (_code(code.value), "yes" if code.retryable else "no", MEANINGS[code])
