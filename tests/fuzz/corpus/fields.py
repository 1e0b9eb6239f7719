"""Every command of the contract with something wrong in every field."""

from collections.abc import Iterator
from random import Random
from typing import Any

from pydantic import ValidationError

from authbus.contract import ROWS, topic_of
from authbus.message import Command
from authbus.replies import Code
from authbus.specification.examples import VALUES
from authbus_service.core.ids import new_id
from tests.fuzz.case import Case, Family, Make, Try
from tests.fuzz.scene import Json, Scene

COMMANDS = [row.command for row in ROWS]
# A record that is too large for its topic has its own class.
ANSWERS = {*map(str, Code), *(reply.wire_type() for row in ROWS for reply in row.replies)}
HOSTILE: dict[str, Any] = {
    "null": None,
    "true": True,
    "a number": 7,
    "below zero": -1,
    "a fraction": 1.5,
    "over 32 bits": 2**53,
    "a list": [],
    "lists in lists": [[[[["deep"]]]]],
    "an object": {"$ne": None},
    "empty": "",
    "a space": " ",
    "U+0000": "a\0b",
    "SQL": "'; DROP TABLE users; --",
    "formats": "%s%n{0.__class__}${jndi:ldap://localhost/a}",
    "a terminal's": "\x1b[2J\r\nce_id: forged",
    "bidi and joiners": "\u202eana\u200d\u200b\ufeff@example.com",
    "combining": "e" + "\u0301" * 1000,
    "huge": "h" * 40_000,
    "everybody": "%",
}
_SECRETS = ("password", "current_password", "new_password", "refresh_token", "code")


def is_refused(model: type[Command], data: Json) -> bool:
    """Whether the contract itself has no such command."""
    try:
        model.model_validate(data)
    except ValidationError:
        return True
    return False


def right_data(scene: Scene, model: type[Command]) -> Json:
    """The example's data, with the token of a live session where there is one."""
    data = VALUES[model].to_json()
    if "access_token" in data:
        data["access_token"] = scene.access_token
    return {name: scene.canary if name in _SECRETS else value for name, value in data.items()}


def changed(model: type[Command], changes: Json, without: str | None = None) -> Make:
    def make(scene: Scene) -> Try:
        right = right_data(scene, model) if without != "" else {}
        data = {**right, **changes}
        data.pop(without or "", None)
        topic = topic_of(model).name(scene.web.namespace)
        draft = scene.web.sealed(topic, new_id(), scene.key(), type=model.wire_type(), data=data)
        # More than one code may be right of what the contract has no word against.
        return Try.of(draft, *([Code.INVALID] if is_refused(model, data) else ANSWERS))

    return make


def secret_names(model: type[Command]) -> Make:
    """Names and values that nobody may see again."""

    def make(scene: Scene) -> Try:
        data = {**{name: [scene.canary] for name in model.model_fields}, scene.canary: scene.canary}
        topic = topic_of(model).name(scene.web.namespace)
        draft = scene.web.sealed(topic, new_id(), scene.key(), type=model.wire_type(), data=data)
        return Try.of(draft, Code.INVALID)

    return make


def _named() -> Iterator[Case]:
    for number, model in enumerate(COMMANDS):
        name = model.__name__
        yield Case(f"{name}: a field more", changed(model, {"is_admin": True}))
        yield Case(f"{name}: secrets as names", secret_names(model))
        fields, kinds = list(model.model_fields), list(HOSTILE)
        for turn, field in enumerate(fields):
            kind = kinds[(number + 7 * turn) % len(kinds)]
            yield Case(f"{name}: {field} is {kind}", changed(model, {field: HOSTILE[kind]}))


def _single() -> Iterator[Case]:
    for model in COMMANDS:
        yield Case(f"{model.__name__}: nothing at all", changed(model, {}, ""))
        for field in model.model_fields:
            yield Case(f"{model.__name__}: no {field}", changed(model, {}, field))
            for kind, value in HOSTILE.items():
                yield Case(f"{model.__name__}: {field} is {kind}", changed(model, {field: value}))


def more(random: Random) -> Iterator[Case]:
    """Each field left out and with each hostile value in some order, then two at a time."""
    single = list(_single())
    random.shuffle(single)
    yield from single
    while True:
        model = random.choice(COMMANDS)
        fields = random.choices(list(model.model_fields), k=2)
        kinds = random.choices([kind for kind in HOSTILE if kind != "huge"], k=2)
        changes = {field: HOSTILE[kind] for field, kind in zip(fields, kinds, strict=True)}
        what = ", ".join(f"{field} is {kind}" for field, kind in zip(fields, kinds, strict=True))
        yield Case(f"{model.__name__}: {what}", changed(model, changes))


FIELDS = Family("fields of every command", 600, list(_named()), more, abreast=12)
