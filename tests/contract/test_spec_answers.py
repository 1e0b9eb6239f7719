"""What the spec says of answers, beside the records that the service makes of them."""

import json
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator

from authbus import specification
from authbus.message import Reply
from authbus.sealing import ReplyKey
from authbus.specification import examples
from authbus.specification.messages import Entry, Kind, entries
from authbus_service.consumers.route import Route, Saying, answer_of

ASYNCAPI = json.loads((specification.FOLDER / "asyncapi.json").read_text(encoding="utf-8"))
ENTRIES = [pytest.param(each, id=each.name) for each in entries() if each.kind is Kind.REPLY]
ASKED = UUID("019cade2-123b-7c1a-9d52-6f8e0b4a7d31")


def answered(entry: Entry, key: ReplyKey) -> Saying:
    route = Route("auth.replies.web", 0, "0f6b1c52", None, dict(key.public), ASKED)
    reply = examples.VALUES[entry.model]
    assert isinstance(reply, Reply)
    saying = answer_of(route, reply, examples.AT)
    assert saying is not None
    return saying


def payload_of(message: dict[str, Any]) -> Draft202012Validator:
    name = message["payload"]["$ref"].rpartition("/")[2]
    schemas = ASYNCAPI["components"]["schemas"]
    inside = json.loads(json.dumps(schemas).replace("#/components/schemas/", "#/$defs/"))
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": inside})


@pytest.mark.parametrize("entry", ENTRIES)
def test_asyncapi_and_the_example_say_of_an_answer_what_a_command_with_a_reply_key_gets(
    entry: Entry,
) -> None:
    key = ReplyKey()
    message = ASYNCAPI["components"]["messages"][entry.model.__name__]
    path = specification.FOLDER / "examples" / f"{entry.name}.json"
    example = json.loads(path.read_text(encoding="utf-8"))

    saying = answered(entry, key)
    headers = {name: value.decode() for name, value in saying.headers}
    sealed = headers["content-type"] == "application/jose"
    text = saying.value.decode()

    assert message["contentType"] == headers["content-type"]
    assert payload_of(message).is_valid(text if sealed else json.loads(text))
    assert example["headers"] == headers
    assert ("value_before_sealing" in example) is sealed
    shown = example["value_before_sealing" if sealed else "value"]
    assert json.loads(key.open(saying.value) if sealed else text) == shown
