"""One command, one answer: pure decisions on plain rows."""

from dataclasses import replace
from uuid import UUID

import pytest
from pydantic import SecretStr

from authbus.commands import AnyCommand, LogIn, LogOut, RegisterUser
from authbus.events import EndReason, SessionEnded, SessionStarted, UserCreated
from authbus.replies import Code, LoggedOut, Registered, Rejected
from authbus.second_factor import SecondFactorRequested
from authbus_service.auth.cause import Cause
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.handlers import apply, decide
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Granted, Outcome
from authbus_service.auth.private import NOTHING, Private
from authbus_service.auth.private_parts import private_part
from authbus_service.auth.proof import Claim, Proof
from authbus_service.auth.request import Request
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.user import Credential, User
from authbus_service.core.ids import new_id
from authbus_service.core.security.masters import token_hash
from tests.rig.made import NOW, POLICY, a_request, applied

PASSWORD = SecretStr("correct horse battery")
LOG_IN = LogIn(email="ana@example.com", password=PASSWORD)
REGISTER = RegisterUser(email="Ana@example.com", password=PASSWORD)
CLAIM = Claim("ana@example.com", "Ana@example.com")


def decided(request: Request, proof: Proof, rows: Rows) -> Outcome:
    before = repr(rows)
    outcome = decide(request, proof, rows, NOW, POLICY)
    assert repr(rows) == before, "decide changes nothing"
    return outcome


def rows_with(user: User) -> Rows:
    rows = Rows()
    rows.users.by_id[user.id] = user
    return rows


@pytest.fixture
def ana() -> User:
    return User(
        id=new_id(),
        sequence=4,
        status="active",
        password_hash="phc",
        credential_version=2,
        created_at=NOW,
    )


def proof_of(user: User, *, version: int | None = None) -> Proof:
    held = user.credential_version if version is None else version
    return Proof(user_id=user.id, credential=Credential(user.id, user.password_hash, held))


def test_a_free_address_makes_a_user_with_everything_that_apply_needs() -> None:
    request, rows = a_request(REGISTER), Rows()
    user_id = request.derived.user_id
    rows.users.owners[CLAIM.canonical] = user_id

    outcome = decided(request, Proof(claim=CLAIM, password_hash="phc", mailbox=b"there"), rows)

    assert outcome.answer == Registered(user_id=user_id)
    assert outcome.events == (
        UserCreated(user_id=user_id, sequence=1, actor=f"user:{user_id}", causation_id=request.id),
    )
    assert private_part(outcome.events[0], Cause(request, rows, NOW, "phc")) == Private(
        address="Ana@example.com",
        canonical="ana@example.com",
        password_hash="phc",
        code_hash=token_hash(request.derived.code(Purpose.VERIFY_EMAIL)),
    )
    assert outcome.mails == (Mail(Template.VERIFY_EMAIL, user_id, "Ana@example.com"),)


@pytest.mark.parametrize("owner", [None, new_id()])
def test_a_taken_address_is_refused(owner: UUID | None) -> None:
    rows = Rows()
    if owner is not None:
        rows.users.owners[CLAIM.canonical] = owner

    outcome = decided(a_request(REGISTER), Proof(claim=CLAIM, password_hash="phc"), rows)

    assert outcome == Outcome(Rejected.because(Code.EMAIL_TAKEN))


def test_what_prepare_refused_stays_refused_whatever_the_rows_say() -> None:
    refusal = Rejected.because(Code.PASSWORD_COMMON)
    request, rows = a_request(REGISTER), Rows()
    rows.users.owners[CLAIM.canonical] = request.derived.user_id

    assert decided(request, Proof(claim=CLAIM, refusal=refusal), rows) == Outcome(refusal)


def test_a_password_that_still_holds_under_the_lock_starts_a_session(ana: User) -> None:
    request = a_request(LOG_IN)

    outcome = decided(request, proof_of(ana), rows_with(ana))

    (started,) = outcome.events
    assert isinstance(started, SessionStarted)
    assert (started.user_id, started.sequence) == (ana.id, 5)
    assert started.session_id == request.derived.session_id
    assert (started.client_id, started.amr) == ("web", ("pwd",))
    assert started.expires_at == NOW + POLICY.session_lifetime
    assert started.lapses_at == NOW + POLICY.session_idle
    assert outcome.answer == Granted(
        user_id=ana.id,
        session_id=started.session_id,
        amr=("pwd",),
        auth_time=NOW,
        issued_at=NOW,
        access_token_expires_at=NOW + POLICY.access_token_lifetime,
        session_expires_at=started.expires_at,
    )


@pytest.mark.parametrize("second_factor", [False, True])
def test_either_first_half_of_a_log_in_keeps_the_password_under_newer_parameters(
    ana: User, *, second_factor: bool
) -> None:
    ana.second_factor = second_factor
    request, rows, proof = a_request(LOG_IN), rows_with(ana), proof_of(ana)

    outcome = decided(request, replace(proof, password_hash="stronger"), rows)
    applied(outcome, Cause(request, rows, NOW, "stronger"))

    (event,) = outcome.events
    assert type(event) is (SecondFactorRequested if second_factor else SessionStarted)
    assert ana.password_hash == "stronger"


REFUSED = Outcome(Rejected.because(Code.INVALID_CREDENTIALS), settled=Settled.FAILED)


def test_a_log_in_whose_password_changed_since_is_refused(ana: User) -> None:
    outcome = decided(a_request(LOG_IN), proof_of(ana, version=1), rows_with(ana))

    assert outcome == REFUSED


def test_a_log_in_whose_user_is_gone_inactive_or_unproven_is_the_same_refusal(ana: User) -> None:
    inactive = replace(ana, status="inactive")

    outcomes = [
        decided(a_request(LOG_IN), proof_of(ana), Rows()),
        decided(a_request(LOG_IN), proof_of(ana), rows_with(inactive)),
        decided(a_request(LOG_IN), Proof(), rows_with(ana)),
        decided(a_request(LOG_IN), Proof(user_id=ana.id), rows_with(ana)),
    ]

    assert outcomes == [REFUSED] * 4


def a_session(ana: User) -> tuple[Rows, LogOut]:
    """The rows after a log-in, and the command that ends its session."""
    rows = rows_with(ana)
    request = a_request(LOG_IN)
    outcome = decided(request, proof_of(ana), rows)
    applied(outcome, Cause(request, rows, NOW))
    token = SecretStr(request.derived.refresh_token)
    return rows, LogOut(session_id=request.derived.session_id, refresh_token=token)


def proof_for(command: AnyCommand, ana: User) -> Proof:
    assert isinstance(command, LogOut)
    return Proof(user_id=ana.id, session_id=command.session_id)


def test_the_holder_of_the_refresh_token_ends_the_session(ana: User) -> None:
    rows, command = a_session(ana)
    request = a_request(command)

    outcome = decided(request, proof_for(command, ana), rows)

    assert outcome.answer == LoggedOut(session_id=command.session_id)
    assert outcome.events == (
        SessionEnded(
            user_id=ana.id,
            sequence=6,
            actor=f"user:{ana.id}",
            causation_id=request.id,
            session_id=command.session_id,
            reason=EndReason.LOGOUT,
        ),
    )


def test_a_session_that_has_ended_is_answered_the_same_and_has_no_second_event(ana: User) -> None:
    rows, command = a_session(ana)
    first = decided(a_request(command), proof_for(command, ana), rows)
    apply(first.events[0], NOTHING, rows, NOW)

    second = decided(a_request(command), proof_for(command, ana), rows)

    assert second == Outcome(first.answer)


def test_a_wrong_token_an_unknown_session_and_an_unknown_user_are_one_refusal(ana: User) -> None:
    rows, command = a_session(ana)
    guessed = command.model_copy(update={"refresh_token": SecretStr("x" * 43)})
    unknown = command.model_copy(update={"session_id": new_id()})

    outcomes = [
        decided(a_request(guessed), proof_for(guessed, ana), rows),
        decided(a_request(unknown), proof_for(unknown, ana), rows),
        decided(a_request(command), Proof(session_id=command.session_id), rows),
    ]

    assert outcomes == [Outcome(Rejected.because(Code.INVALID_TOKEN))] * 3


def test_an_ended_session_is_not_told_to_whoever_guesses(ana: User) -> None:
    rows, command = a_session(ana)
    ended = decided(a_request(command), proof_for(command, ana), rows)
    apply(ended.events[0], NOTHING, rows, NOW)
    guessed = command.model_copy(update={"refresh_token": SecretStr("")})

    outcome = decided(a_request(guessed), proof_for(guessed, ana), rows)

    assert outcome == Outcome(Rejected.because(Code.INVALID_TOKEN))


def test_the_same_command_decides_the_same_and_another_makes_other_ids(ana: User) -> None:
    same = new_id()
    first, again = (
        decided(a_request(LOG_IN, id_=same), proof_of(ana), rows_with(ana)) for _ in range(2)
    )
    other = decided(a_request(LOG_IN), proof_of(ana), rows_with(ana))

    assert first == again
    assert first.events != other.events
