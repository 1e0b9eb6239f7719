"""A message's fields in words, from its JSON Schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_REF = "#/components/schemas/"
_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "from {}",
    "maximum": "up to {}",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
}
_MARKS = {"x-personal": "personal", "x-secret": "secret"}
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a table of fields."""

    name: str
    type: str
    required: bool
    limits: str
    marks: list[str]
    description: str


def fields(schema: Schema, schemas: Mapping[str, Schema]) -> list[Field]:
    """The fields of an object, those that are needed first."""
    needed = schema.get("required", ())
    found = [
        Field(
            name=name,
            type=_type(each, schemas),
            required=name in needed,
            limits=", ".join(_limits(each)),
            marks=[word for mark, word in _MARKS.items() if each.get(mark)],
            description=each.get("description", ""),
        )
        for name, each in schema.get("properties", {}).items()
    ]
    return sorted(found, key=lambda each: not each.required)


def _type(schema: Schema, schemas: Mapping[str, Schema]) -> str:
    match schema:
        case {"$ref": str(ref)}:
            name = ref.removeprefix(_REF)
            inner = schemas.get(name, {})
            return _type(inner, schemas) if "enum" in inner else name
        case {"anyOf": choices} | {"oneOf": choices} | {"allOf": choices}:
            return " | ".join(dict.fromkeys(_type(each, schemas) for each in choices))
        case {"type": "array", "items": items}:
            return f"list of {_type(items, schemas)}"
        case {"type": "object", "additionalProperties": {**values}} if values:
            return f"object of {_type(values, schemas)}"
        case _:
            return _plain_type(schema)


def _plain_type(schema: Schema) -> str:
    match schema:
        case {"const": value}:
            return f"“{value}”"
        case {"enum": values}:
            return " | ".join(f"“{each}”" for each in values)
        case {"type": kind, "format": form} if form != "password":
            return f"{kind} ({form})"
        case {"type": kind}:
            return str(kind)
        case _:
            return "anything"


def _limits(schema: Schema) -> Iterator[str]:
    for choice in (schema, *schema.get("anyOf", ())):
        for name, words in _LIMITS.items():
            if name in choice:
                yield words.format(choice[name])
    if (default := schema.get("default")) is not None:
        yield f"else {default}"
