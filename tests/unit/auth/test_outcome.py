"""What the inbox keeps of an answer: enough to say it again, and no secret."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from authbus.commands import LogIn
from authbus.contract import REPLIES, ROWS
from authbus.message import Reply
from authbus.replies import Code, LoggedIn, LoggedOut, Refreshed, Registered, Rejected
from authbus.second_factor import (
    ConfirmTotp,
    SecondFactorRequired,
    StartTotp,
    SteppedUp,
    TotpIsEnabled,
    TotpStarted,
)
from authbus.service_accounts import ServiceLoggedIn, ServiceSecret
from authbus_service.auth.granting import Granting
from authbus_service.auth.handlers import HANDLERS
from authbus_service.auth.outcome import (
    Answer,
    Challenged,
    Elevated,
    Enrolled,
    Enrolling,
    Granted,
    Renewed,
    SecretMade,
    ServiceGranted,
    restored,
    stored,
)
from authbus_service.core.ids import new_id
from tests.rig.made import NOW, a_request

GRANTED = Granted(
    user_id=new_id(),
    session_id=new_id(),
    amr=("pwd",),
    auth_time=NOW,
    issued_at=NOW,
    access_token_expires_at=NOW + timedelta(minutes=10),
    session_expires_at=NOW + timedelta(days=30),
)
RENEWED = Renewed(**GRANTED.model_dump())
ELEVATED = Elevated(**GRANTED.model_dump())
SERVICE = ServiceGranted(**GRANTED.model_dump())
MADE = SecretMade(user_id=new_id(), expires_at=NOW)
ANSWERS: list[Answer] = [
    Registered(user_id=new_id()),
    LoggedOut(session_id=new_id()),
    Rejected.because(Code.EMAIL_TAKEN, "why"),
    GRANTED,
    RENEWED,
    Enrolling(),
    Enrolled(),
    Challenged(expires_at=NOW),
    ELEVATED,
    SERVICE,
    MADE,
]


def signed(claims: dict[str, Any]) -> str:
    return f"signed:{sorted(claims.items())}"


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda each: type(each).__name__)
def test_a_stored_answer_is_restored_as_it_was(answer: Answer) -> None:
    assert restored(stored(answer), REPLIES) == answer


def test_every_sealed_reply_is_stored_without_its_secrets() -> None:
    request = a_request(LogIn(email="ana@example.com", password=SecretStr("hunter2hunter2")))
    reply = Granting("issuer", signed, "Shop")(GRANTED, request)
    assert isinstance(reply, LoggedIn)

    text = repr(stored(GRANTED))

    asked = [row for row in ROWS if row.command in HANDLERS]
    kept = {reply for row in asked for reply in row.replies if reply.sealed}
    assert kept == {
        LoggedIn,
        Refreshed,
        TotpStarted,
        TotpIsEnabled,
        SecondFactorRequired,
        SteppedUp,
        ServiceLoggedIn,
        ServiceSecret,
    }
    assert stored(GRANTED)["type"] == LoggedIn.wire_type()
    assert reply.refresh_token.get_secret_value() not in text
    assert reply.access_token.get_secret_value() not in text
    assert "token'" not in text
    assert "hunter2" not in text


def test_the_same_answer_and_command_give_the_same_tokens() -> None:
    command = LogIn(email="ana@example.com", password=SecretStr("x"))
    same = new_id()
    granting = Granting("issuer", signed, "Shop")
    again = restored(stored(GRANTED), REPLIES)

    first: Reply = granting(GRANTED, a_request(command, id_=same))
    second: Reply = granting(again, a_request(command, id_=same))
    other: Reply = granting(GRANTED, a_request(command))

    assert first == second
    assert first != other


def test_a_second_factors_secrets_follow_from_its_commands_and_are_not_stored() -> None:
    token, granting = SecretStr("a token"), Granting("issuer", signed, "The Shop")
    start = a_request(StartTotp(access_token=token, password=token, label="ana@example.com"))
    confirm = a_request(ConfirmTotp(access_token=token, code=token))

    started, enabled = granting(Enrolling(), start), granting(Enrolled(), confirm)

    assert isinstance(started, TotpStarted)
    assert isinstance(enabled, TotpIsEnabled)
    assert (granting(Enrolling(), start), granting(Enrolled(), confirm)) == (started, enabled)
    secret = started.secret.get_secret_value()
    uri = started.otpauth_uri.get_secret_value()
    assert len(secret) == 32
    assert uri.startswith("otpauth://totp/The%20Shop:ana%40example.com?")
    assert f"secret={secret}" in uri
    codes = {each.get_secret_value() for each in enabled.recovery_codes}
    assert len(codes) == 10
    assert {len(each) for each in codes} == {19}
    assert [stored(each)["data"] for each in (Enrolling(), Enrolled())] == [{}, {}]
