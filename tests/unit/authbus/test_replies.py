"""Which replies a call takes as its own."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from authbus.client.outgoing import Outgoing, Sender
from authbus.client.pending import PendingCall, PendingCalls
from authbus.commands import LogIn
from authbus.envelope import JSON_TYPE, SEALED_TYPE, Sealed
from authbus.errors import AuthError
from authbus.message import Reply
from authbus.replies import LoggedIn, Rejected
from authbus.sealing import ReplyKey, Seal, public_jwk, seal
from authbus.strict_json import read_json
from authbus.uuid7 import uuid7
from tests.unit.authbus.records import a_record

OWNER = generate_private_key(SECP256R1())
LOGGED_IN = {
    "user_id": str(uuid4()),
    "session_id": str(uuid4()),
    "access_token": "canary-access",
    "access_token_expires_at": "2026-03-02T09:40:00Z",
    "refresh_token": "canary-refresh",
    "session_expires_at": "2026-04-01T09:30:00Z",
}
LOGGED_OUT = {"session_id": str(uuid4())}


def an_outgoing(command_id: UUID | None = None) -> Outgoing:
    return Sender("web", "auth").outgoing(
        LogIn.model_validate({"email": "ana@example.com", "password": "canary-password"}),
        key="lane",
        command_id=command_id or uuid7(),
        correlation_id=None,
        life=timedelta(seconds=15),
        sealing_key=public_jwk(OWNER.public_key()) | {"kid": "e1"},
    )


@pytest.fixture
async def calls() -> PendingCalls:
    return PendingCalls()


@pytest.fixture
async def call(calls: PendingCalls) -> AsyncIterator[PendingCall]:
    with calls.waiting(an_outgoing()) as waiting:
        yield waiting


def answer(
    calls: PendingCalls,
    call: PendingCall,
    kind: str,
    data: dict[str, str],
    key: ReplyKey | None = None,
    headers: dict[str, str] | None = None,
) -> None:
    value = json.dumps(data).encode()
    named = {
        "ce_type": f"authbus.{kind}.v1",
        "correlation_id": call.outgoing.correlation_id,
        "ce_causationid": str(call.outgoing.command_id),
        "content-type": SEALED_TYPE if key else JSON_TYPE,
    }
    sealed = seal(value, key.public) if key else value
    pairs = [(name, text.encode()) for name, text in (named | (headers or {})).items()]
    calls.read(a_record(sealed, headers=pairs))


async def taken(call: PendingCall) -> Reply | None:
    waiting = asyncio.create_task(call.answer())
    await asyncio.sleep(0)
    if waiting.done():
        return waiting.result()
    waiting.cancel()
    return None


async def test_a_sealed_reply_is_opened_by_the_call_whose_key_it_was_sealed_for(
    calls: PendingCalls, call: PendingCall
) -> None:
    answer(calls, call, "LoggedIn", LOGGED_IN, call.outgoing.reply_key)

    reply = await call.answer()
    assert isinstance(reply, LoggedIn)
    assert reply.access_token.get_secret_value() == "canary-access"
    assert "canary" not in repr(reply)


async def test_a_reply_sealed_for_another_process_with_the_same_command_is_passed_over(
    calls: PendingCalls, call: PendingCall
) -> None:
    waiting = asyncio.create_task(call.answer())

    answer(calls, call, "LoggedIn", LOGGED_IN, ReplyKey())
    await asyncio.sleep(0)
    assert not waiting.done()

    answer(calls, call, "LoggedIn", LOGGED_IN, call.outgoing.reply_key)
    assert isinstance(await waiting, LoggedIn)


@pytest.mark.parametrize(
    ("kind", "data"), [("LoggedIn", LOGGED_IN), ("LoggedOut", LOGGED_OUT), ("Unheard", {})]
)
async def test_what_is_in_the_clear_and_no_refusal_is_not_an_answer(
    calls: PendingCalls, call: PendingCall, kind: str, data: dict[str, str]
) -> None:
    answer(calls, call, kind, data)

    assert await taken(call) is None


async def test_a_refusal_answers_every_call_with_its_correlation_id(
    calls: PendingCalls, call: PendingCall
) -> None:
    with calls.waiting(an_outgoing(call.outgoing.command_id)) as other:
        answer(calls, call, "Rejected", {"code": "busy"})

        assert isinstance(await taken(call), Rejected)
        assert isinstance(await taken(other), Rejected)


@pytest.mark.parametrize(
    ("name", "value"), [("correlation_id", "another"), ("ce_causationid", str(UUID(int=1)))]
)
async def test_a_reply_to_another_command_is_passed_over(
    calls: PendingCalls, call: PendingCall, name: str, value: str
) -> None:
    key = call.outgoing.reply_key
    answer(calls, call, "LoggedOut", LOGGED_OUT, key, headers={name: value})

    assert await taken(call) is None


async def test_a_refusal_with_a_code_of_tomorrow_is_read(
    calls: PendingCalls, call: PendingCall
) -> None:
    answer(calls, call, "Rejected", {"code": "not_yet_known"})

    reply = await call.answer()
    assert isinstance(reply, Rejected)
    assert (reply.code, reply.retryable) == ("not_yet_known", False)


@pytest.mark.parametrize(
    ("kind", "data"), [("Unheard", {}), ("LoggedOut", {}), ("Rejected", {"code": "x" * 9, "a": ""})]
)
async def test_an_answer_that_cannot_be_read_ends_the_call(
    calls: PendingCalls, call: PendingCall, kind: str, data: dict[str, str]
) -> None:
    answer(calls, call, kind, data, None if kind == "Rejected" else call.outgoing.reply_key)

    if kind == "Rejected":
        assert await taken(call) is not None
    else:
        with pytest.raises(AuthError, match=kind):
            await call.answer()


async def test_a_call_that_is_over_is_forgotten(calls: PendingCalls) -> None:
    with calls.waiting(an_outgoing()) as call:
        pass

    answer(calls, call, "LoggedOut", LOGGED_OUT)
    assert await taken(call) is None
    assert calls._waiting == {}  # pyright: ignore[reportPrivateUsage]


async def test_a_record_repeats_outside_what_is_sealed_inside_and_shows_nothing_else() -> None:
    record = an_outgoing()

    inside = Sealed.model_validate(read_json(Seal.read(record.value).open(OWNER)))
    assert inside.headers() == record.headers
    assert inside.data["password"] == "canary-password"
    assert inside.time <= inside.expirytime <= inside.time + timedelta(minutes=15)
    shown = b"".join(name.encode() + value for name, value in record.headers)
    assert b"ana@" not in shown + record.value + record.key
    assert "canary" not in repr(record)


async def test_an_old_command_sent_again_never_lives_longer_than_its_id_allows() -> None:
    old = UUID(int=uuid7().int - ((20 * 60 * 1000) << 80))

    inside = Sealed.model_validate(read_json(Seal.read(an_outgoing(old).value).open(OWNER)))

    assert inside.expirytime == inside.time + timedelta(minutes=15)
