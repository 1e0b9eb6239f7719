"""An answer's record: sealed but for a refusal, echoed to its asker, no secret in the clear."""

from dataclasses import replace
from uuid import uuid4

import pytest
from pydantic import SecretStr

from authbus.envelope import read_headers
from authbus.replies import Code, LoggedIn, LoggedOut, Rejected
from authbus.sealing import ReplyKey
from authbus_service.consumers.route import Route, Saying, answer_of
from tests.rig.made import NOW

ROUTE = Route(
    topic="auth.replies.web",
    partition=None,
    correlation_id="17",
    spring_correlation=None,
    key=None,
    command_id=uuid4(),
)
TOKENS = LoggedIn(
    user_id=uuid4(),
    session_id=uuid4(),
    access_token=SecretStr("canary"),
    access_token_expires_at=NOW,
    refresh_token=SecretStr("canary"),
    session_expires_at=NOW,
)
BAD_KEYS = [
    None,
    {},
    {"kty": "EC"},
    {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
    {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"},
    {"kty": "oct", "k": "AA"},
    {**ReplyKey().public, "d": "AA"},
    {**ReplyKey().public, "kid": "k" * 60_000},
    {**ReplyKey().public, "x": "\0"},
]


def sent(route: Route, reply: LoggedIn | LoggedOut | Rejected) -> Saying:
    found = answer_of(route, reply, NOW)
    assert found is not None
    return found


def test_nobody_who_waits_gets_no_letter() -> None:
    assert answer_of(replace(ROUTE, topic=None), Rejected.because(Code.BUSY), NOW) is None


def test_tokens_go_out_sealed_to_the_reply_key() -> None:
    key = ReplyKey()

    found = sent(replace(ROUTE, key=dict(key.public)), TOKENS)

    assert read_headers(found.headers)["content-type"] == "application/jose"
    assert b"canary" not in found.value
    assert b"canary" in key.open(found.value)


def test_what_has_no_secrets_is_sealed_too_where_there_is_a_key_but_for_a_refusal() -> None:
    key, reply = ReplyKey(), LoggedOut(session_id=uuid4())
    route = replace(ROUTE, key=dict(key.public))

    found, refused = sent(route, reply), sent(route, Rejected.because(Code.BUSY))
    without = sent(ROUTE, reply)

    assert key.open(found.value) == without.value == reply.to_bytes()
    kinds = [read_headers(each.headers)["content-type"] for each in (found, refused, without)]
    assert kinds == ["application/jose", "application/json", "application/json"]


@pytest.mark.parametrize("key", BAD_KEYS, ids=range(len(BAD_KEYS)))
def test_tokens_without_a_key_to_seal_to_never_go_out(key: dict[str, str] | None) -> None:
    found = sent(replace(ROUTE, key=key), TOKENS)

    assert read_headers(found.headers)["ce_type"] == "authbus.Rejected.v1"
    assert b"canary" not in found.value


def test_the_asker_finds_its_own_ids_again_byte_for_byte() -> None:
    echo = b"\xff\0\r\n"

    found = sent(replace(ROUTE, spring_correlation=echo), Rejected.because(Code.BUSY))

    assert (found.key, found.topic) == (b"17", "auth.replies.web")
    assert dict(found.headers)["correlation_id"] == b"17"
    assert dict(found.headers)["kafka_correlationId"] == echo
    assert dict(found.headers)["ce_causationid"] == str(ROUTE.command_id).encode()


def test_an_answer_without_a_correlation_id_is_keyed_by_its_command() -> None:
    found = sent(replace(ROUTE, correlation_id=None), Rejected.because(Code.BUSY))

    assert found.key == str(ROUTE.command_id).encode()
    assert "correlation_id" not in dict(found.headers)


def test_a_repeated_answer_is_the_same_message_and_another_reply_is_not() -> None:
    first, again = (sent(ROUTE, Rejected.because(Code.BUSY)) for _ in range(2))
    other = sent(ROUTE, LoggedOut(session_id=uuid4()))

    assert dict(first.headers)["ce_id"] == dict(again.headers)["ce_id"]
    assert dict(first.headers)["ce_id"] != dict(other.headers)["ce_id"]


def test_what_is_printed_of_a_letter_or_a_route_shows_no_value_and_no_key() -> None:
    key = dict(ReplyKey().public)

    found = sent(replace(ROUTE, key=key), TOKENS)

    assert found.value.decode() not in repr(found)
    assert key["x"] not in repr(replace(ROUTE, key=key))
