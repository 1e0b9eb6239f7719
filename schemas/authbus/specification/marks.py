"""Which fields are marked personal or secret, found in a model's schema at any depth."""

from collections.abc import Iterator
from typing import Any

from authbus.message import Message
from authbus.specification.schemas import Json, schema_of

PERSONAL = "x-personal"
SECRET = "x-secret"  # noqa: S105 - the name of a mark


def leaves(model: type[Message]) -> Iterator[tuple[str, Json]]:
    """Each field's path and schema, `roles[]` for what a list holds, `jwk{}` for a map's values."""
    schema = schema_of(model)
    yield from _walk(schema, "", schema.get("$defs", {}))


def marked(model: type[Message], mark: str) -> list[str]:
    """The paths of the fields that carry the mark, in the schema's order."""
    return list(dict.fromkeys(path for path, schema in leaves(model) if schema.get(mark)))


def _walk(schema: Json, path: str, defs: Json) -> Iterator[tuple[str, Json]]:
    if "$ref" in schema:
        yield from _walk(defs[schema["$ref"].rpartition("/")[2]], path, defs)
        return
    yield path, schema
    for branch in schema.get("anyOf", ()):
        yield from _walk(branch, path, defs)
    for name, field in schema.get("properties", {}).items():
        yield from _walk(field, f"{path}.{name}" if path else name, defs)
    for keyword, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        inner: Any = schema.get(keyword)
        if isinstance(inner, dict):
            yield from _walk(inner, path + suffix, defs)
