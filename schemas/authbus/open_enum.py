"""Enumerations that grow: whoever reads keeps a value it does not know instead of failing."""

from enum import StrEnum
from typing import Any, Self

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema


class OpenEnum(StrEnum):
    """An enumeration of what is written today. Another text becomes a member of its own.

    Such a member equals its text, is in no listing and is identical to no other. Commands do not
    use it: what the service does not know, it refuses.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        unknown = str.__new__(cls, value)
        unknown._name_ = value
        unknown._value_ = value
        return unknown

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler(core)
        text = {"type": schema.pop("type")}
        known = {**text, "enum": schema.pop("enum")}
        return {**schema, "anyOf": [known, text]}
