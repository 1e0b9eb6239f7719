"""What is said of a bad record: why, where it lies, and nothing of what it holds.

That each kind of bad record has its one end is shown in tests/fuzz.
"""

import json
import struct
from base64 import b64encode
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from authbus import LogIn, Rejected
from authbus.kafka.batches import MOST_RECORDS
from authbus.topics import SESSIONS
from authbus_service.auth import handlers
from authbus_service.auth.request import Request
from authbus_service.core.ids import new_id
from tests.rig.batches import ZSTD, Raw, batch, compress, produce, records
from tests.rig.outcomes import Watch
from tests.rig.producing import Draft, Producer

pytestmark = pytest.mark.asyncio(loop_scope="module")

COPIES = {
    "ce_id": str(new_id()).encode(),
    "ce_expirytime": b"2999-01-02T03:04:05Z",
    "reply_to": b"auth.replies.demo",
}


def a_log_in(web: Producer, **changes: Any) -> Draft:
    command = LogIn(email="ana@example.com", password=SecretStr("not the right one"))
    return web.draft(command, **changes)


async def answer_to(watch: Watch, draft: Draft) -> Rejected:
    await watch.outcome(draft)
    (answer,) = await watch.world.web.heard(draft, 1)
    assert isinstance(answer, Rejected)
    return answer


@pytest.mark.parametrize("name", COPIES)
async def test_a_copied_seal_under_another_header_is_worthless(watch: Watch, name: str) -> None:
    web = watch.world.web
    original = a_log_in(web)
    copy = original.with_header(name, COPIES[name]).but(id=new_id())

    before = await watch.outcome(copy)
    answered = await watch.outcome(original)
    after = await watch.outcome(copy)

    assert (before, after) == ("header_mismatch", "header_mismatch")
    assert answered == "invalid_credentials"
    assert len(web.answers(original.id)) == 1


@pytest.mark.parametrize("elsewhere", ["events.v1", "replies.demo"])
async def test_an_answer_goes_to_its_clients_own_topic_or_nowhere(
    watch: Watch, elsewhere: str
) -> None:
    web = watch.world.web
    topic = f"{watch.world.namespace}.{elsewhere}"

    in_the_seal = await watch.outcome(a_log_in(web, reply_to=topic))
    in_a_label = await watch.outcome(a_log_in(web).with_header("kafka_replyTopic", topic.encode()))

    assert (in_the_seal, in_a_label) == ("reply_not_allowed", "reply_not_allowed")


async def test_a_wrong_topic_is_told_the_right_one(watch: Watch) -> None:
    wrong = a_log_in(watch.world.web).but(topic=SESSIONS.name(watch.world.namespace))

    answer = await answer_to(watch, wrong)

    assert answer.code == "wrong_topic"
    assert f"{watch.world.namespace}.commands.credentials.v1" in answer.detail


async def test_a_refusal_names_no_field_that_was_made_up(watch: Watch) -> None:
    data = {"email": 5, "password": "not the right one", "my secret as a name": 1}

    answer = await answer_to(watch, a_log_in(watch.world.web, data=data))

    assert answer.detail == "a field: extra_forbidden; email: string_type"


async def test_the_dead_letter_of_a_batch_says_from_where_to_where_it_lay(watch: Watch) -> None:
    topic = SESSIONS.name(watch.world.namespace)
    count = MOST_RECORDS + 1
    data = batch(count, compress(ZSTD, records([Raw(None)] * count)), ZSTD)
    (last,) = struct.unpack_from(">i", data, 23)

    _, first = await produce(watch.world.servers, topic, data)
    await watch.became(new_id(), SESSIONS.suffix, 0, first + last)

    (letter,) = watch.letters[SESSIONS.suffix, 0, first + last]
    assert (letter["first_offset"], letter["offset"]) == (first, first + MOST_RECORDS)
    assert letter["size"] < len(data)


@pytest.mark.parametrize("step", ["prepare", "decide"])
async def test_no_secret_comes_out_of_a_handler_that_fails(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    canary = f"canary-{uuid4().hex}"
    # Nobody else's address: a guess that is never settled makes others wait until it expires.
    command = LogIn(email=f"{step}@example.com", password=SecretStr(canary))

    def fail(request: Request, *_: object) -> None:
        raise ValueError(f"cannot {step} {request.command.to_json()}")

    monkeypatch.setattr(handlers, step, fail)
    outcome = await watch.outcome(watch.world.web.draft(command))
    monkeypatch.undo()

    assert outcome == "failed"
    await _nothing_shows(watch, canary)
    assert "command failed" in {line["event"] for line in watch.lines()}


async def test_a_dead_letter_holds_nothing_of_its_record(watch: Watch) -> None:
    canary = f"canary-{uuid4().hex}"
    exposed = a_log_in(watch.world.web).but(value=json.dumps({"password": canary}).encode())

    outcome = await watch.outcome(exposed)

    assert outcome == "secret_exposed"
    await _nothing_shows(watch, canary)


async def _nothing_shows(watch: Watch, canary: str) -> None:
    rows = [
        str(row)
        for table in ("inbox", "outbox")
        for row in await watch.world.rows(f"SELECT {table}::text FROM {table}")
    ]
    raw = canary.encode()
    shown = "".join([*rows, watch.log.getvalue(), *(each.decode() for each in watch.raw_letters)])
    assert rows
    for form in (canary, raw.hex(), b64encode(raw).decode().rstrip("=")):
        assert form not in shown
