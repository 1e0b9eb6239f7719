"""How many accounts are made from one place, and how many mails go to one mailbox."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from authbus.commands import RegisterUser
from authbus.replies import Code, Registered, Rejected
from authbus_service.auth.guessing.attempt import Counted
from authbus_service.auth.handlers import decide
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.proof import Claim, Proof
from authbus_service.auth.request import Request
from authbus_service.auth.rows import Rows
from tests.rig.made import NOW, POLICY, a_request

REGISTER = RegisterUser(email="Ana@example.com", password=SecretStr("correct horse battery"))
CLAIM = Claim("ana@example.com", "Ana@example.com")


def decided(request: Request, proof: Proof, rows: Rows) -> Outcome:
    return decide(request, proof, rows, NOW, POLICY)


@pytest.mark.parametrize("is_free", [True, False])
def test_who_registers_too_often_from_one_place_is_refused_whatever_address_it_is(
    *, is_free: bool
) -> None:
    request, rows, here = a_request(REGISTER), Rows(), b"a place"
    if is_free:
        rows.users.owners[CLAIM.canonical] = request.derived.user_id
    proof = Proof(claim=CLAIM, password_hash="phc", source=here, mailbox=b"a mailbox")

    rows.attempts.counts[here] = Counted(an_hour=99)
    last = decided(request, proof, rows)
    rows.attempts.counts[here] = Counted(an_hour=100)
    beyond = decided(request, proof, rows)

    assert isinstance(last.answer, Registered) is is_free
    assert here in last.counted
    assert beyond == Outcome(Rejected.because(Code.TOO_SOON))


def test_an_account_for_a_mailbox_that_had_its_mails_is_made_without_one() -> None:
    request, rows, there = a_request(REGISTER), Rows(), b"a mailbox"
    rows.users.owners[CLAIM.canonical] = request.derived.user_id
    proof = Proof(claim=CLAIM, password_hash="phc", mailbox=there)

    rows.attempts.counts[there] = Counted(a_day=4)
    last = decided(request, proof, rows)
    rows.attempts.counts[there] = Counted(a_day=5)
    beyond = decided(request, proof, rows)

    assert (len(last.mails), last.counted) == (1, (there,))
    assert beyond == replace(last, mails=(), counted=())
