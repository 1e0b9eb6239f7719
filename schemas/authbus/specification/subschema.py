"""Whether every value that one schema allows is allowed by another, for the schemas we write.

Sound, not complete: what it cannot show to be harmless counts as breaking.
"""

from collections.abc import Iterator
from typing import Any

from authbus.specification.schemas import Json

_Others = bool | Json
_LOWER = ("minLength", "minimum", "minItems")
_UPPER = ("maxLength", "maximum", "maxItems")
_ASIDE = {"$schema", "$id", "$defs", "title", "description", "default"}
_KNOWN = {
    *_ASIDE,
    *_LOWER,
    *_UPPER,
    *("type", "properties", "required", "additionalProperties", "items"),
    *("enum", "const", "anyOf", "$ref", "format", "pattern"),
}


def differences(writer: Json, reader: Json) -> list[str]:
    """What the writer's schema allows and the reader's does not; empty: all is readable.

    Both are whole documents with their own `$defs`. A property that the reader does not name must
    be allowed by its `additionalProperties`; one that the writer does not name is never written.
    """
    return list(_Pair(writer, reader).compare(writer, reader, ""))


class _Pair:
    def __init__(self, writer: Json, reader: Json) -> None:
        self._writer: Json = writer.get("$defs", {})
        self._reader: Json = reader.get("$defs", {})

    def compare(self, writer: Json, reader: Json, at: str) -> Iterator[str]:
        writer, reader = _resolve(writer, self._writer), _resolve(reader, self._reader)
        unknown = _beyond(writer) | _beyond(reader)
        if unknown:
            yield f"{at}: cannot judge {', '.join(sorted(unknown))}"
        elif "anyOf" in writer:
            for branch in writer["anyOf"]:
                yield from self.compare(branch, reader, at)
        elif "anyOf" in reader:
            tries = [list(self.compare(writer, branch, at)) for branch in reader["anyOf"]]
            if all(tries):
                yield from min(tries, key=len)
        else:
            yield from _values(writer, reader, at)
            yield from _bounds(writer, reader, at)
            yield from self._inside(writer, reader, at)

    def _inside(self, writer: Json, reader: Json, at: str) -> Iterator[str]:
        if "items" in reader:
            yield from self.compare(writer.get("items", {}), reader["items"], f"{at}[]")
        for name in sorted(set(reader.get("required", ())) - set(writer.get("required", ()))):
            yield f"{at}.{name}: needed, but not always written"
        known: Json = reader.get("properties", {})
        others: _Others = reader.get("additionalProperties", True)
        for name, field in writer.get("properties", {}).items():
            target = known.get(name, others)
            if target is False:
                yield f"{at}.{name}: written, but refused"
            elif target is not True:
                yield from self.compare(field, target, f"{at}.{name}")
        yield from self._rest(writer.get("additionalProperties", False), others, at)

    def _rest(self, written: _Others, others: _Others, at: str) -> Iterator[str]:
        """A map's values: `additionalProperties` with a schema, or none at all."""
        if written is False or others is True:
            return
        if others is False:
            yield f"{at}: any name may be written, but is refused"
        else:
            yield from self.compare({} if written is True else written, others, f"{at}{{}}")


def _beyond(schema: Json) -> set[str]:
    """The keywords that are not understood, or not beside `anyOf`."""
    known = {*_ASIDE, "anyOf"} if "anyOf" in schema else _KNOWN
    return {name for name in schema.keys() - known if not name.startswith("x-")}


def _resolve(schema: Json, definitions: Json) -> Json:
    while "$ref" in schema:
        aside = {name: value for name, value in schema.items() if name != "$ref"}
        schema = {**definitions[schema["$ref"].rpartition("/")[2]], **aside}
    return schema


def _values(writer: Json, reader: Json, at: str) -> Iterator[str]:
    written, read = _listed(writer), _listed(reader)
    if read is not None:
        if written is None:
            yield f"{at}: any value may be written, only {sorted(read)} is read"
        elif written - read:
            yield f"{at}: {sorted(written - read)} may be written, but is not read"
        return
    types = {"integer", "number"} if reader.get("type") == "number" else {reader.get("type")}
    if "type" in reader and writer.get("type") not in types:
        yield f"{at}: {writer.get('type', 'anything')} is written, {reader['type']} is read"


def _listed(schema: Json) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def _bounds(writer: Json, reader: Json, at: str) -> Iterator[str]:
    if _listed(writer) is not None and _listed(reader) is not None:
        return
    for name in ("format", "pattern"):
        if name in reader and writer.get(name) != reader[name]:
            yield f"{at}: {name} {writer.get(name)} is written, {reader[name]} is read"
    for name in _LOWER:
        if name in reader and writer.get(name, float("-inf")) < reader[name]:
            yield f"{at}: {name} {writer.get(name)} is written, {reader[name]} is read"
    for name in _UPPER:
        if name in reader and writer.get(name, float("inf")) > reader[name]:
            yield f"{at}: {name} {writer.get(name)} is written, {reader[name]} is read"
