"""The gate between two schemas of a message refuses what breaks and lets the rest pass."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import SearchStrategy, fixed_dictionaries, integers, sampled_from
from jsonschema import Draft202012Validator
from pydantic import Field

from authbus.message import Command, Event
from authbus.open_enum import OpenEnum
from authbus.specification.compatibility import backward, forward
from authbus.specification.schemas import schema_of
from authbus.specification.subschema import differences

Json = dict[str, Any]
Change = Callable[[Json], object]
STRINGS = {"type": "string"}


class Colour(StrEnum):
    RED = "red"


class Shade(OpenEnum):
    DARK = "dark"


class Paint(Command):
    """A command with a field of each kind."""

    name: str = Field(min_length=3, max_length=9)
    colour: Colour
    coats: int = Field(ge=1, le=3)
    note: str | None = None
    tags: tuple[str, ...] = ()


class Painted(Event):
    """An event with a field of each kind."""

    name: str = Field(max_length=9)
    colour: Colour
    shade: Shade
    coats: int = Field(ge=1, le=3)
    note: str | None = None
    tags: tuple[str, ...] = ()


def fields(schema: Json) -> Json:
    return schema["properties"]


def add(name: str, *, needed: bool) -> Change:
    def change(schema: Json) -> None:
        fields(schema)[name] = {"type": "string"}
        if needed:
            schema["required"].append(name)

    return change


def drop(name: str) -> Change:
    def change(schema: Json) -> None:
        del fields(schema)[name]
        schema["required"] = [other for other in schema["required"] if other != name]

    return change


def need(name: str) -> Change:
    return lambda schema: schema["required"].append(name)


def spare(name: str) -> Change:
    return lambda schema: schema["required"].remove(name)


def put(name: str, **keywords: object) -> Change:
    return lambda schema: fields(schema)[name].update(keywords)


def values(enum: str, *listed: str) -> Change:
    return lambda schema: schema["$defs"][enum].update(enum=list(listed))


def known(enum: str, *listed: str) -> Change:
    return lambda schema: schema["$defs"][enum]["anyOf"][0].update(enum=list(listed))


# (what is changed, harmless for old commands, harmless for old readers of an event)
CHANGES: list[tuple[str, Change, bool, bool]] = [
    ("nothing", lambda schema: schema, True, True),
    ("a description", lambda schema: schema.update(description="other"), True, True),
    ("add an optional field", add("more", needed=False), True, True),
    ("add a needed field", add("more", needed=True), False, True),
    ("drop an optional field", drop("note"), False, True),
    ("drop a needed field", drop("name"), False, False),
    ("optional becomes needed", need("tags"), False, True),
    ("needed becomes optional", spare("coats"), True, False),
    ("longer text", put("name", maxLength=20), True, False),
    ("shorter text", put("name", maxLength=5), False, True),
    ("shorter texts allowed", put("name", minLength=0), True, True),
    ("greater number", put("coats", maximum=9), True, False),
    ("smaller number", put("coats", maximum=2), False, True),
    ("higher floor", put("coats", minimum=2), False, True),
    ("another type", put("name", type="integer"), False, False),
    ("a format", put("name", format="uuid"), False, True),
    ("a pattern", put("name", pattern="^a"), False, True),
    ("one more value", values("Colour", "red", "blue"), True, False),
    ("another value instead", values("Colour", "blue"), False, False),
    ("null no more", lambda s: fields(s).update(note={"type": "string"}), False, True),
    ("null as well", lambda s: fields(s).update(name=fields(s)["note"]), True, False),
    ("a list of other things", put("tags", items={"type": "integer"}), False, False),
    ("a keyword nobody knows", put("name", multipleOf=2), False, False),
]


@pytest.mark.parametrize(
    ("change", "harmless"), [pytest.param(c, b, id=name) for name, c, b, _ in CHANGES]
)
def test_a_command_stays_readable_from_old_producers_or_the_gate_says_why(
    change: Change, harmless: bool
) -> None:
    old, new = schema_of(Paint), schema_of(Paint)
    change(new)

    assert (backward(old, new) == []) is harmless


@pytest.mark.parametrize(
    ("change", "harmless"), [pytest.param(c, f, id=name) for name, c, _, f in CHANGES]
)
def test_an_event_stays_readable_by_old_consumers_or_the_gate_says_why(
    change: Change, harmless: bool
) -> None:
    old, new = schema_of(Painted), schema_of(Painted)
    change(new)

    assert (forward(old, new) == []) is harmless


def test_the_gate_names_the_field_and_the_reason() -> None:
    old, new = schema_of(Paint), schema_of(Paint)
    put("name", maxLength=5)(new)
    add("more", needed=True)(new)

    assert backward(old, new) == [
        ".more: needed, but not always written",
        ".name: maxLength 9 is written, 5 is read",
    ]


def test_an_open_enumeration_grows_without_breaking_a_reader() -> None:
    old, new = schema_of(Painted), schema_of(Painted)
    known("Shade", "dark", "light")(new)

    assert forward(old, new) == []
    assert backward(old, new) == []


def test_an_open_enumeration_may_not_be_closed() -> None:
    old, new = schema_of(Painted), schema_of(Painted)
    new["$defs"]["Shade"] = {"type": "string", "enum": ["dark"]}

    assert backward(old, new) != []


@pytest.mark.parametrize(
    ("written", "read", "harmless"),
    [
        ({"additionalProperties": {"type": "string"}}, {"additionalProperties": True}, True),
        ({"additionalProperties": True}, {"additionalProperties": {"type": "string"}}, False),
        ({"additionalProperties": {"type": "string"}}, {"additionalProperties": False}, False),
        ({"properties": {"a": {"type": "string"}}}, {"additionalProperties": False}, False),
        ({"properties": {"a": {"type": "integer"}}}, {"additionalProperties": STRINGS}, False),
        ({"type": "integer"}, {"type": "number"}, True),
        ({"type": "number"}, {"type": "integer"}, False),
        ({}, {"type": "string"}, False),
        ({"enum": ["a"]}, {"anyOf": [{"const": "a"}, {"type": "null"}]}, True),
        ({"type": "integer"}, {"anyOf": [{"type": "string"}, {"type": "null"}]}, False),
        ({"anyOf": [{"const": "a"}], "maxLength": 3}, {}, False),
        ({"type": "array"}, {"type": "array", "items": {"type": "string"}}, False),
        ({"const": "long"}, {"type": "string", "maxLength": 3}, False),
    ],
)
def test_maps_numbers_choices_and_lists(written: Json, read: Json, harmless: bool) -> None:
    assert (differences(written, read) == []) is harmless


def painted() -> SearchStrategy[Json]:
    """Documents near `Painted`: mostly valid, with each field now and then just beyond."""
    text = sampled_from(["ab", "abc", "a" * 9, "a" * 10, "a" * 30, "019cade2-123b", None, 7])
    lists = sampled_from([[], ["a"], [1]])
    needed = {
        "actor": sampled_from(["service"]),
        "user_id": sampled_from(["019cade2-123b-8b0e-8f6d-2a9c41e7d058"]),
        "causation_id": sampled_from(["019cade2-123b-8b0e-8f6d-2a9c41e7d058"]),
        "sequence": integers(1, 2),
    }
    loose = {
        "name": text,
        "colour": sampled_from(["red", "blue"]),
        "shade": sampled_from(["dark", "light"]),
        "coats": integers(0, 9),
        "note": text,
        "tags": lists,
        "more": text,
    }
    return fixed_dictionaries(needed, optional=loose)


@given(change=sampled_from([change for _, change, _, _ in CHANGES]), value=painted())
def test_what_the_gate_lets_pass_a_validator_lets_pass(change: Change, value: Json) -> None:
    old, new = schema_of(Painted), schema_of(Painted)
    change(new)

    for writer, reader in ((old, new), (new, old)):
        written = Draft202012Validator({**writer, "additionalProperties": False}).is_valid(value)
        if written and not differences(writer, reader):
            assert Draft202012Validator(reader).is_valid(value)
