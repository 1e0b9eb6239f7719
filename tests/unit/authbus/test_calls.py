"""Which answers a call takes."""

import pytest

from authbus.client.outgoing import Outgoing
from authbus.client.pending import PendingCall
from authbus.envelope import JSON_TYPE
from authbus.replies import Code, Rejected
from authbus.sealing import ReplyKey
from authbus.uuid7 import uuid7

TOPIC = "auth.commands.credentials.v1"
HEADERS = {"ce_type": Rejected.wire_type(), "content-type": JSON_TYPE}


def a_call() -> PendingCall:
    id_ = uuid7()
    return PendingCall(Outgoing(TOPIC, b"key", b"value", [], id_, str(id_), ReplyKey()))


def take(call: PendingCall, refusal: Rejected) -> None:
    call.take(HEADERS, refusal.model_dump_json().encode())


async def test_a_copy_on_another_topic_refuses_nothing_to_the_call() -> None:
    call, busy = a_call(), Rejected.because(Code.BUSY)

    take(call, Rejected.because(Code.WRONG_TOPIC, f"send it to {TOPIC}"))
    take(call, busy)

    assert await call.answer() == busy


@pytest.mark.parametrize("detail", ["send it to auth.commands.sessions.v1", f"send it to {TOPIC}2"])
async def test_a_client_that_sends_to_the_wrong_topic_is_told(detail: str) -> None:
    call, wrong = a_call(), Rejected.because(Code.WRONG_TOPIC, detail)

    take(call, wrong)

    assert await call.answer() == wrong
