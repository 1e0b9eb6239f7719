"""A handled command that comes again in other bytes is judged like a new one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from pydantic import SecretStr

from authbus.commands import LogIn, RefreshSession, RegisterUser
from authbus.message import Reply
from authbus.replies import Code, LoggedIn, Refreshed, Rejected
from authbus.service_accounts import CreateServiceAccount, RotateServiceSecret, ServiceSecret
from authbus_service.core.security.operator import operator_token
from tests.model.expected import By
from tests.model.people import START
from tests.model.real import RealService, Record
from tests.model.service import ISSUER, MASTERS, command_id

ANA, PASSWORD = "ana@example.com", SecretStr("correct horse battery")
REGISTER = RegisterUser(email=ANA, password=PASSWORD)
FAR = datetime(2900, 1, 1, tzinfo=UTC)
STALE = Rejected.because(Code.STALE_ID)
TOO_FAR = Rejected.because(Code.INVALID, "expirytime: more than 15 minutes ahead")
MISMATCH = Rejected.because(Code.IDEMPOTENCY_MISMATCH)


def with_secrets(service: RealService) -> Sequence[tuple[Record, Reply]]:
    """Handled commands whose answers hold a password's worth."""
    ids = (By(command_id(START, number), "web") for number in count(1))
    service.reset()
    service.ask(REGISTER, next(ids))
    session = service.ask(LogIn(email=ANA, password=PASSWORD), next(ids))
    assert isinstance(session, LoggedIn)
    refresh = RefreshSession(session_id=session.session_id, refresh_token=session.refresh_token)
    refreshed = service.ask(refresh, next(ids))
    made = service.ask(CreateServiceAccount(access_token=proof(by := next(ids)), name="bills"), by)
    assert isinstance(made, ServiceSecret)
    rotating = RotateServiceSecret(access_token=proof(by := next(ids)), user_id=made.user_id)
    rotated = service.ask(rotating, by)
    assert isinstance(refreshed, Refreshed)
    assert isinstance(rotated, ServiceSecret)
    return service.records[1:]


def proof(by: By) -> SecretStr:
    return SecretStr(operator_token(MASTERS, issuer=ISSUER, command_id=by.id, at=START))


def test_a_retry_sealed_anew_has_the_same_secrets_while_its_id_is_taken(real: RealService) -> None:
    known = with_secrets(real)

    real.move(START + timedelta(minutes=9))

    for record, first in known:
        assert real.send(real.record(record.command, record.by)) == first
    assert START + timedelta(minutes=9) > max(record.expires for record, _ in known)


@pytest.mark.parametrize(
    ("later", "expires", "refusal"),
    [(timedelta(minutes=11), None, STALE), (timedelta(), FAR, TOO_FAR)],
    ids=["an id of 11 minutes ago", "an expiry in the year 2900"],
)
def test_sealed_anew_under_an_old_id_or_for_ever_no_answer_with_secrets_is_to_be_had(
    real: RealService, later: timedelta, expires: datetime | None, refusal: Rejected
) -> None:
    known = with_secrets(real)

    real.move(START + later)
    answers = [
        real.send(real.record(record.command, record.by, expires=expires)) for record, _ in known
    ]

    assert answers == [refusal] * len(known)


def test_of_twenty_guesses_at_what_was_asked_five_are_answered_and_then_not_the_right_one(
    real: RealService,
) -> None:
    real.reset()
    first = real.ask(REGISTER, by := By(command_id(START, 1), "web"))
    ((record, _),) = real.records

    def asked(password: str) -> Reply | None:
        guess = RegisterUser(email=ANA, password=SecretStr(password))
        return real.send(real.record(guess, by))

    answers = [asked(f"guess number {number}") for number in range(20)]

    assert answers == [MISMATCH] * 5 + [None] * 15
    assert asked(PASSWORD.get_secret_value()) is None
    assert real.send(record) == first
