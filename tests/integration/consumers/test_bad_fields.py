"""Every command of the contract with a hostile value in every field: one answer for each."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from authbus import LoggedIn, LogIn, RegisterUser, Rejected
from authbus.contract import ROWS
from authbus.message import Command
from authbus.replies import Code
from authbus.specification.examples import VALUES
from authbus_service.core.ids import new_id
from tests.rig.crowd import PASSWORD
from tests.rig.outcomes import Watch
from tests.rig.producing import Draft

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
COMMANDS = {row.command.__name__: row.command for row in ROWS}
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


def is_refused(model: type[Command], data: Json) -> bool:
    """Whether the contract itself has no such command."""
    try:
        model.model_validate(data)
    except ValidationError:
        return True
    return False


def variants(model: type[Command], right: Json) -> Iterator[tuple[str, Json]]:
    """The right data with one thing wrong, and what it is."""
    yield "a field more", {**right, "is_admin": True}
    yield "nothing at all", {}
    for name in model.model_fields:
        yield f"no {name}", {key: value for key, value in right.items() if key != name}
        for kind, value in HOSTILE.items():
            yield f"{name} is {kind}", {**right, name: value}


async def right_data(watch: Watch, model: type[Command]) -> Json:
    """The example's data, with the token of a live session where there is one."""
    data = VALUES[model].to_json()
    if "access_token" in data:
        web, email = watch.world.web, f"user-{uuid4().hex}@example.com"
        await web.ask(web.draft(RegisterUser(email=email, password=PASSWORD)))
        session = await web.ask(web.draft(LogIn(email=email, password=PASSWORD)))
        assert isinstance(session, LoggedIn)
        data["access_token"] = session.access_token.get_secret_value()
    return data


def draft(watch: Watch, model: type[Command], data: Json) -> Draft:
    web = watch.world.web
    topic = web.draft(VALUES[model]).topic  # type: ignore[arg-type]
    id_ = new_id()
    return web.sealed(topic, id_, id_.bytes, type=model.wire_type(), data=data)


async def became(watch: Watch, bad: Draft) -> str:
    partition = random.randrange(6)
    sent = await watch.world.web.send(bad, partition=partition)
    return await watch.became(bad.id, watch.suffix(bad.topic), partition, sent.offset)


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_hostile_value_in_any_field_has_one_answer_and_no_failure(
    watch: Watch, name: str
) -> None:
    model = COMMANDS[name]
    right = await right_data(watch, model)
    wrong = dict(variants(model, right))
    drafts = {what: draft(watch, model, data) for what, data in wrong.items()}

    said = await asyncio.gather(*(became(watch, each) for each in drafts.values()))

    outcomes = dict(zip(drafts, said, strict=True))
    refused = {what for what, data in wrong.items() if is_refused(model, data)}
    assert {what: outcomes[what] for what in refused} == dict.fromkeys(refused, Code.INVALID)
    taken = {outcomes[what] for what in outcomes.keys() - refused}
    assert taken <= {*Code, *(reply.wire_type() for row in ROWS for reply in row.replies)}
    ours = [line for line in watch.lines() if line["module"].startswith("authbus")]
    assert [line for line in ours if line["level"] in ("warning", "error", "critical")] == []


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_refusal_repeats_nothing_of_what_was_sent(watch: Watch, name: str) -> None:
    model = COMMANDS[name]
    canary = f"canary{uuid4().hex}"
    data = {**{field: [canary] for field in model.model_fields}, canary: canary}
    bad = draft(watch, model, data)

    assert await became(watch, bad) == Code.INVALID

    (answer,) = await watch.world.web.heard(bad, 1)
    assert isinstance(answer, Rejected)
    assert canary not in answer.detail
    assert canary not in watch.log.getvalue()
    assert canary.encode() not in b"".join(watch.raw_letters)
