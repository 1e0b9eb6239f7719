"""JSON Schema 2020-12 of every message, as its reader takes it: commands closed, the rest open."""

import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from authbus.envelope import Sealed
from authbus.message import Message
from authbus.specification.messages import Entry

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SEALED_URN = "urn:authbus:schema:Sealed.v1"

Json = dict[str, Any]


class _Plain(GenerateJsonSchema):
    """Without titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's name
        return False


def _tidy(schema: Json) -> Json:
    """Without `writeOnly`: pydantic sets it on every secret, but a reply's token is read."""

    def plain(node: Json) -> Json:
        return {name: value for name, value in node.items() if name != "writeOnly"}

    return json.loads(json.dumps(schema), object_hook=plain)


def schema_of(model: type[Message]) -> Json:
    """The schema of one model, with its own `$defs`."""
    return _tidy(model.model_json_schema(schema_generator=_Plain))


def components(models: Iterable[type[Message]], prefix: str) -> Json:
    """One schema by class name for all models; references begin with `prefix`."""
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (model, "validation") for model in models
    ]
    _, found = models_json_schema(wanted, schema_generator=_Plain, ref_template=prefix + "{model}")
    return _tidy(found["$defs"])


def document(entry: Entry) -> Json:
    """The spec file of one message."""
    marks = {"x-wire-type": entry.model.wire_type(), "x-sealed": entry.sealed}
    return {"$schema": DIALECT, "$id": entry.urn, **marks, **schema_of(entry.model)}


def sealed_document() -> Json:
    """The spec file of what a sealed command's JWE holds."""
    return {"$schema": DIALECT, "$id": SEALED_URN, **schema_of(Sealed)}


def sealed_as(entry: Entry, prefix: str) -> Json:
    """What the JWE of this one command holds: the seal's schema with its type and its data."""
    narrowed = {
        "type": {"const": entry.model.wire_type()},
        "data": {"$ref": prefix + entry.model.__name__},
    }
    return {"type": "object", "allOf": [{"$ref": prefix + "Sealed"}, {"properties": narrowed}]}
