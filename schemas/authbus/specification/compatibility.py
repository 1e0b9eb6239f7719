"""The gate between two spec folders: nothing that was written or read before may break.

Commands stay readable from old producers (BACKWARD). Replies stay readable by old producers
(FORWARD). Events and state stay readable by old consumers, and old records by new consumers, since
their topics are kept and read from the start (both ways).
"""

import json
from collections.abc import Iterator
from pathlib import Path

from authbus.specification.messages import Kind
from authbus.specification.schemas import Json
from authbus.specification.subschema import differences

_BACKWARD = {Kind.COMMAND.value, Kind.EVENT.value, Kind.STATE.value, "envelope"}
_FORWARD = {Kind.REPLY.value, Kind.EVENT.value, Kind.STATE.value}


def breaks(old: Path, new: Path) -> list[str]:
    """What in the spec folder `new` breaks users of the spec folder `old`; empty: nothing.

    A message that is gone breaks, a new one does not. So does another topic or reply of a command,
    another number of partitions (keys would move), a code that is gone, and a mark that is gone.
    """
    tables = _read(old / "contract.json"), _read(new / "contract.json")
    return [*_rows(*tables), *_topics(*tables), *_messages(*tables), *_schemas(old, new)]


def backward(old: Json, new: Json) -> list[str]:
    """What old writers may write and the new schema, just as it is, does not take."""
    return differences(old, new)


def forward(old: Json, new: Json) -> list[str]:
    """What new writers may write and old readers, who pass over unknown fields, do not take."""
    return differences(new, old)


def _schemas(old: Path, new: Path) -> Iterator[str]:
    for folder in sorted(_BACKWARD | _FORWARD):
        for before in sorted((old / folder).glob("*.json")):
            after = new / folder / before.name
            name = f"{folder}/{before.name}"
            if not after.is_file():
                yield f"{name}: is gone"
                continue
            found: list[str] = []
            if folder in _BACKWARD:
                found += backward(_read(before), _read(after))
            if folder in _FORWARD:
                found += forward(_read(before), _read(after))
            yield from (f"{name} {line}" for line in dict.fromkeys(found))


def _rows(old: Json, new: Json) -> Iterator[str]:
    after = {row["command"]: row for row in new["commands"]}
    for row in old["commands"]:
        now = after.get(row["command"], row)
        for name in ("topic", "reply"):
            if now[name] != row[name]:
                yield f"{row['command']}: {name} {row[name]} is now {now[name]}"


def _topics(old: Json, new: Json) -> Iterator[str]:
    for name, topic in old["topics"].items():
        now = new["topics"].get(name, {}).get("partitions")
        if now != topic["partitions"]:
            yield f"{name}: partitions {topic['partitions']} are now {now}"


def _messages(old: Json, new: Json) -> Iterator[str]:
    for wire_type, message in old["messages"].items():
        now = new["messages"].get(wire_type, message)
        if now["sealed"] != message["sealed"]:
            yield f"{wire_type}: sealed {message['sealed']} is now {now['sealed']}"
        for mark in ("personal", "secret"):
            for field in sorted(set(message[mark]) - set(now[mark])):
                yield f"{wire_type}: {field} is no longer marked {mark}"
    for code in sorted(old["rejections"].keys() - new["rejections"].keys()):
        yield f"code {code}: is gone"


def _read(path: Path) -> Json:
    return json.loads(path.read_text(encoding="utf-8"))
