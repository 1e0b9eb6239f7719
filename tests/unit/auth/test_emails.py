"""An account's address: verified by a mail's code, changed by the code in a mail to the new one."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from authbus.commands import (
    AnyCommand,
    ChangeEmail,
    ConfirmEmailChange,
    ResendVerification,
    VerifyEmail,
)
from authbus.events import (
    AnyEvent,
    EmailChanged,
    EmailVerified,
    PasswordChanged,
    PasswordReason,
    PasswordResetForced,
)
from authbus.replies import Code, EmailIsChanged, EmailIsVerified, MailQueued, Rejected
from authbus.state import UserState
from authbus_service.auth.acting import Acting
from authbus_service.auth.cause import Cause
from authbus_service.auth.codes.code import OneTimeCode, Purpose
from authbus_service.auth.guessing.attempt import Counted
from authbus_service.auth.handlers import apply, decide
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.private import Private
from authbus_service.auth.proof import Claim, Proof
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.user import Credential, User
from authbus_service.core.ids import new_id
from authbus_service.core.security.masters import token_hash
from tests.rig.made import NOW, POLICY, a_request, a_session, applied

OLD, NEW = "Ana@example.com", "Ana@example.org"
TOKEN, CODE, PASSWORD = SecretStr("a token"), SecretStr("a code"), SecretStr("a password")
VERIFY, CONFIRM = VerifyEmail(code=CODE), ConfirmEmailChange(code=CODE)
CHANGE = ChangeEmail(access_token=TOKEN, password=PASSWORD, new_email=NEW)
RESEND = ResendVerification(access_token=TOKEN)
DAY = timedelta(days=1)
MAILBOX, ASKER = b"a mailbox", b"who asks"


class World:
    """Ana, logged in."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.ana = User(new_id(), 4, "active", "phc", 1, NOW, OLD)
        self.rows.users.by_id[self.ana.id] = self.ana
        session = a_session(self.ana.id)
        self.rows.sessions.known[session.id] = session
        self.acting = Acting(self.ana.id, session.id, NOW + DAY)
        self.credential = Credential(self.ana.id, "phc", 1)
        self.claim = Claim(NEW.lower(), NEW, self.ana.id)
        self.rows.users.owners[self.claim.canonical] = self.ana.id

    def code(self, purpose: Purpose, address: str, *, age: timedelta = timedelta()) -> OneTimeCode:
        """The first of them is the one that `VERIFY` and `CONFIRM` come with."""
        hash_ = token_hash(new_id().hex if self.rows.codes.known else CODE.get_secret_value())
        made_at = NOW - age
        code = OneTimeCode(
            hash_, self.ana.id, purpose, address, made_at, made_at + purpose.lifetime
        )
        self.rows.codes.known[code.hash] = code
        return code

    def by_code(
        self, command: AnyCommand, code: OneTimeCode, claim: Claim | None = None
    ) -> Outcome:
        proof = Proof(user_id=self.ana.id, code_hash=code.hash, every_code=True, claim=claim)
        return self._decided(command, proof)

    def by_token(self, command: AnyCommand) -> Outcome:
        proof = Proof(
            acting=self.acting,
            credential=self.credential,
            claim=self.claim,
            source=ASKER,
            mailbox=MAILBOX,
        )
        return self._decided(command, proof)

    def _decided(self, command: AnyCommand, proof: Proof) -> Outcome:
        self.cause = Cause(a_request(command), self.rows, NOW)
        return decide(self.cause.request, proof, self.rows, NOW, POLICY)

    def applied(self, outcome: Outcome) -> UserState | None:
        (state,) = applied(outcome, self.cause)
        assert state is None or isinstance(state, UserState)
        return state


@pytest.fixture
def world() -> World:
    return World()


def refusal(outcome: Outcome) -> Code:
    assert isinstance(outcome.answer, Rejected)
    assert outcome == Outcome(outcome.answer), "a refusal changes nothing"
    return outcome.answer.code


def test_a_code_verifies_its_address_once_and_voids_the_others(world: World) -> None:
    code, other = (world.code(Purpose.VERIFY_EMAIL, OLD) for _ in range(2))

    first = world.by_code(VERIFY, code)
    state = world.applied(first)
    again = world.by_code(VERIFY, code)

    assert [type(each) for each in first.events] == [EmailVerified]
    assert state is not None
    assert (state.email, state.email_verified, state.sequence) == (OLD, True, 5)
    assert again == Outcome(EmailIsVerified(user_id=world.ana.id))
    assert code.used_at == other.used_at == NOW


@pytest.mark.parametrize(
    ("purpose", "address", "age"),
    [
        (Purpose.VERIFY_EMAIL, OLD, DAY),
        (Purpose.VERIFY_EMAIL, NEW, timedelta()),
        (Purpose.CHANGE_EMAIL, OLD, timedelta()),
        (Purpose.RESET_PASSWORD, OLD, timedelta()),
    ],
)
def test_a_code_that_is_late_of_another_address_or_purpose_verifies_nothing(
    world: World, purpose: Purpose, address: str, age: timedelta
) -> None:
    code = world.code(purpose, address, age=age)

    assert refusal(world.by_code(VERIFY, code)) is Code.CODE_INVALID


def test_an_unknown_code_and_a_deactivated_account_are_one_answer(world: World) -> None:
    code = world.code(Purpose.VERIFY_EMAIL, OLD)
    unknown = OneTimeCode(b"unknown", world.ana.id, "verify_email", OLD, NOW, NOW + DAY)

    assert refusal(world.by_code(VERIFY, unknown)) is Code.CODE_INVALID
    assert refusal(world.by_code(CONFIRM, unknown)) is Code.CODE_INVALID
    world.ana.status = "deactivated"
    assert refusal(world.by_code(VERIFY, code)) is Code.CODE_INVALID


def test_a_change_mails_the_new_address_and_changes_nothing_yet(world: World) -> None:
    outcome = world.by_token(CHANGE)

    assert outcome.answer == MailQueued(expires_at=NOW + DAY)
    assert outcome.mails == (Mail(Template.CHANGE_EMAIL, world.ana.id, NEW),)
    assert outcome.counted == (ASKER, MAILBOX)
    assert world.applied(outcome) is None
    assert world.ana.email == OLD
    assert world.rows.users.free == [NEW.lower()]


def test_a_change_needs_the_password_and_a_free_address(world: World) -> None:
    world.credential = Credential(world.ana.id, "phc", 0)
    assert refusal(world.by_token(CHANGE)) is Code.INVALID_CREDENTIALS

    world.credential = Credential(world.ana.id, "phc", 1)
    world.rows.users.owners[NEW.lower()] = new_id()
    taken = Outcome(Rejected.because(Code.EMAIL_TAKEN), counted=(ASKER,))
    assert world.by_token(CHANGE) == taken


@pytest.mark.parametrize("purpose", [Purpose.CHANGE_EMAIL, Purpose.VERIFY_EMAIL])
def test_a_mailbox_is_not_flooded(world: World, purpose: Purpose) -> None:
    command = CHANGE if purpose is Purpose.CHANGE_EMAIL else RESEND
    newest = world.code(purpose, NEW, age=timedelta(seconds=59))

    assert refusal(world.by_token(command)) is Code.TOO_SOON
    newest.made_at = NOW - timedelta(minutes=1)
    assert isinstance(world.by_token(command).answer, MailQueued)
    for minutes in range(2, 6):
        world.code(purpose, NEW, age=timedelta(minutes=minutes))
    assert refusal(world.by_token(command)) is Code.TOO_SOON


def test_a_mailbox_is_not_flooded_from_many_accounts(world: World) -> None:
    world.rows.attempts.counts[MAILBOX] = Counted(a_day=5)

    assert refusal(world.by_token(CHANGE)) is Code.TOO_SOON
    assert refusal(world.by_token(RESEND)) is Code.TOO_SOON
    world.rows.attempts.counts[MAILBOX] = Counted(a_day=4)
    assert isinstance(world.by_token(CHANGE).answer, MailQueued)
    assert world.by_token(RESEND).counted == (MAILBOX,)


def test_a_confirmed_change_moves_the_account_and_tells_the_old_address(world: World) -> None:
    code = world.code(Purpose.CHANGE_EMAIL, NEW)
    reset = world.code(Purpose.RESET_PASSWORD, OLD)
    world.ana.email_verified = True

    outcome = world.by_code(CONFIRM, code, world.claim)
    state = world.applied(outcome)

    assert [type(each) for each in outcome.events] == [EmailChanged]
    assert outcome.mails == (Mail(Template.EMAIL_CHANGED, world.ana.id, OLD),)
    assert state is not None
    assert (state.email, state.email_verified) == (NEW, True)
    assert world.rows.users.free == [OLD.lower()]
    assert code.used_at == reset.used_at == NOW
    assert world.by_code(CONFIRM, code) == Outcome(EmailIsChanged(user_id=world.ana.id))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (PasswordChanged, {"reason": PasswordReason.CHANGED}),
        (PasswordChanged, {"reason": PasswordReason.RESET}),
        (PasswordResetForced, {}),
    ],
)
def test_a_change_that_was_asked_for_with_an_old_password_is_void(
    world: World, kind: type[AnyEvent], why: dict[str, PasswordReason]
) -> None:
    code = world.code(Purpose.CHANGE_EMAIL, NEW)
    told = {"user_id": world.ana.id, "sequence": 5, "actor": "", "causation_id": new_id()}

    apply(kind.model_validate({**told, **why}), Private(password_hash="new"), world.rows, NOW)

    assert refusal(world.by_code(CONFIRM, code, world.claim)) is Code.CODE_INVALID
    assert world.ana.email == OLD


def test_a_change_loses_to_whoever_got_the_address_meanwhile(world: World) -> None:
    code = world.code(Purpose.CHANGE_EMAIL, NEW)
    world.rows.users.owners.clear()

    assert refusal(world.by_code(CONFIRM, code, world.claim)) is Code.EMAIL_TAKEN
    assert code.used_at is None


def test_a_verified_address_needs_no_further_mail(world: World) -> None:
    world.ana.email_verified = True

    assert refusal(world.by_token(RESEND)) is Code.EMAIL_VERIFIED
