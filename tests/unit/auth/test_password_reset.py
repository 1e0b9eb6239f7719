"""A forgotten password: who gets a code, what it is good for, and that the answer never tells."""

from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from authbus.commands import AnyCommand, CompletePasswordReset, RequestPasswordReset
from authbus.events import (
    EmailVerified,
    EndReason,
    PasswordChanged,
    PasswordResetRequested,
    SessionEnded,
    UnlockReason,
    UserUnlocked,
)
from authbus.password_replies import PasswordIsChanged, ResetIsRequested
from authbus.replies import Code, Rejected
from authbus.state import UserStatus
from authbus_service.auth.cause import Cause
from authbus_service.auth.codes.code import OneTimeCode, Purpose
from authbus_service.auth.guessing.attempt import Attempt, Settled, Verdict
from authbus_service.auth.handlers import decide, prepare
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.user import Credential, User
from authbus_service.core import clock
from authbus_service.core.ids import new_id
from authbus_service.core.security.masters import token_hash
from tests.rig.made import POLICY, a_request, a_session, applied

ADDRESS, NEW = "Ana@example.com", "staple them together"
CODE = SecretStr("the code of a mail")
HOUR = timedelta(hours=1)


@dataclass
class World:
    """Ana with two live sessions and a code in her mailbox."""

    rows: Rows = field(default_factory=Rows)
    verdict: Verdict = Verdict.HELD

    def __post_init__(self) -> None:
        self.attempts: list[Attempt] = []
        self.hashed: list[str] = []
        self.now = clock.now()
        self.ana = User(new_id(), 4, "active", "phc", 2, self.now, email=ADDRESS)
        self.rows.users.by_id[self.ana.id] = self.ana
        for _ in range(2):
            session = a_session(self.ana.id, lapses_at=self.now + HOUR)
            self.rows.sessions.known[session.id] = session
        self.code = OneTimeCode(
            token_hash(CODE.get_secret_value()),
            self.ana.id,
            Purpose.RESET_PASSWORD,
            ADDRESS,
            self.now - timedelta(minutes=2),
            self.now + timedelta(minutes=58),
        )
        self.rows.codes.known[self.code.hash] = self.code

    async def credential(self, canonical: str) -> Credential | None:
        return Credential(self.ana.id, "phc", 2) if canonical == ADDRESS.lower() else None

    async def found(self, code_hash: bytes) -> OneTimeCode | None:
        return self.rows.code(code_hash)

    async def reserve(self, attempt: Attempt) -> Verdict:
        self.attempts.append(attempt)
        return self.verdict

    async def hash(self, password: str, salt: bytes | None = None) -> str:
        assert salt is not None
        self.hashed.append(password)
        return "new phc"

    async def prepared(self, command: AnyCommand) -> Proof:
        given: dict[str, Any] = {each.name: None for each in fields(Tools)}
        given |= {"credential": self.credential, "code": self.found, "reserve": self.reserve}
        given |= {"hashes": self, "policy": POLICY}
        return await prepare(a_request(command), Tools(**given))

    def decided(self, command: AnyCommand, proof: Proof) -> Outcome:
        request = a_request(command)
        self.cause = Cause(request, self.rows, self.now, proof.password_hash)
        return decide(request, proof, self.rows, self.now, POLICY)

    async def asked(self, email: str = ADDRESS) -> Outcome:
        return self.decided(asking(email), await self.prepared(asking(email)))

    def applied(self, outcome: Outcome) -> None:
        applied(outcome, self.cause)


@pytest.fixture
def world() -> World:
    return World()


def asking(email: str = ADDRESS, ip_address: str | None = None) -> RequestPasswordReset:
    return RequestPasswordReset(email=email, ip_address=ip_address)


def setting(new: str = NEW, code: SecretStr = CODE) -> CompletePasswordReset:
    return CompletePasswordReset(code=code, new_password=SecretStr(new))


async def test_a_request_mails_a_code_that_is_derived_and_kept_as_its_hash(world: World) -> None:
    outcome = await world.asked()
    world.applied(outcome)

    assert outcome.answer == ResetIsRequested(expires_at=world.now + HOUR)
    assert isinstance(outcome.events[0], PasswordResetRequested)
    assert outcome.mails == (Mail(Template.RESET_PASSWORD, world.ana.id, ADDRESS),)
    made = world.rows.codes.known[token_hash(world.cause.derived.code(Purpose.RESET_PASSWORD))]
    assert (made.address, made.expires_at) == (ADDRESS, world.now + HOUR)
    assert world.ana.password_hash == "phc"


async def test_the_answer_is_one_and_no_mail_goes_to_those_who_may_not_have_one(
    world: World,
) -> None:
    outcomes = [await world.asked("no@example.com")]
    world.ana.status = UserStatus.DEACTIVATED
    outcomes.append(await world.asked())
    world.ana.status = UserStatus.ACTIVE
    world.code.made_at = world.now - timedelta(seconds=59)
    outcomes.append(await world.asked())
    world.verdict = Verdict.REFUSED
    outcomes.append(await world.asked())

    silent = Outcome(ResetIsRequested(expires_at=world.now + HOUR), settled=Settled.FAILED)
    assert outcomes == [silent] * 4


async def test_requests_count_by_address_and_by_source_apart_from_wrong_passwords(
    world: World,
) -> None:
    here = "192.0.2.7"
    proofs = [
        await world.prepared(each)
        for each in (asking(), asking("ANA@example.com", here), asking("no@example.com", here))
    ]

    proofs.append(await world.prepared(asking("no address")))

    one, two, other = world.attempts
    assert one.key == two.key != other.key
    assert (one.source, two.source) == (None, other.source)
    assert [(each.hidden, each.is_wrong) for each in proofs[:3]] == [(True, False)] * 3
    assert proofs[3] == Proof(refusal=Rejected.because(Code.EMAIL_INVALID))


async def test_a_code_sets_a_password_ends_all_sessions_and_shows_the_address(
    world: World,
) -> None:
    outcome = world.decided(setting(), await world.prepared(setting()))
    world.applied(outcome)

    told = [(type(each), each.sequence) for each in outcome.events]
    kinds = (PasswordChanged, EmailVerified, SessionEnded, SessionEnded)
    assert told == [*zip(kinds, range(5, 9), strict=True)]
    assert outcome.answer == PasswordIsChanged(sessions_ended=2)
    assert outcome.mails == (Mail(Template.PASSWORD_CHANGED, world.ana.id, ADDRESS),)
    assert (world.ana.password_hash, world.ana.credential_version) == ("new phc", 3)
    assert world.ana.email_verified
    reasons = {each.end_reason for each in world.rows.sessions.known.values()}
    assert reasons == {EndReason.PASSWORD_CHANGED}
    assert world.rows.attempts.forgiven == {world.ana.id}


async def test_a_code_is_good_once_and_voids_the_others(world: World) -> None:
    world.rows.codes.known[b"other"] = other = replace(world.code, hash=b"other")
    proof = await world.prepared(setting())
    world.applied(world.decided(setting(), proof))

    raced, again = world.decided(setting(), proof), await world.prepared(setting())

    assert raced == Outcome(Rejected.because(Code.CODE_INVALID))
    assert again == Proof(refusal=Rejected.because(Code.CODE_INVALID), about=world.ana.id)
    assert other.used_at == world.now
    assert len(world.hashed) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": Purpose.VERIFY_EMAIL},
        {"expires_at": clock.now() - HOUR},
        {"used_at": clock.now()},
    ],
)
async def test_a_bad_code_is_refused_before_any_hash(world: World, changes: dict[str, Any]) -> None:
    world.rows.codes.known[world.code.hash] = replace(world.code, **changes)

    proofs = [await world.prepared(setting()), await world.prepared(setting(code=SecretStr("no")))]

    refusal = Rejected.because(Code.CODE_INVALID)
    assert proofs == [Proof(refusal=refusal, about=world.ana.id), Proof(refusal=refusal)]
    assert world.hashed == []


@pytest.mark.parametrize(
    ("new", "rule"),
    [
        ("short", Code.PASSWORD_TOO_SHORT),
        ("x" * 2000, Code.PASSWORD_TOO_LONG),
        ("password1234", Code.PASSWORD_COMMON),
        ("ana@example.com", Code.PASSWORD_PERSONAL),
    ],
)
async def test_a_new_password_that_breaks_a_rule_leaves_the_code_good(
    world: World, new: str, rule: Code
) -> None:
    proof = await world.prepared(setting(new))

    assert proof == Proof(refusal=Rejected.because(rule), about=world.ana.id)
    assert (world.hashed, world.code.used_at) == ([], None)


async def test_under_the_lock_a_code_of_an_old_address_or_a_shut_account_is_void(
    world: World,
) -> None:
    proof = await world.prepared(setting())
    world.ana.email = "ana@example.org"
    moved = world.decided(setting(), proof)
    world.ana.email, world.ana.status = ADDRESS, UserStatus.DEACTIVATED
    shut = world.decided(setting(), proof)

    assert moved == shut == Outcome(Rejected.because(Code.CODE_INVALID))


@pytest.mark.parametrize(
    ("left", "reason"), [(1, UnlockReason.PASSWORD_RESET), (-1, UnlockReason.EXPIRED)]
)
async def test_a_lock_ends_with_a_reset(world: World, left: int, reason: UnlockReason) -> None:
    world.ana.locked_until = world.now + left * HOUR

    outcome = world.decided(setting(), await world.prepared(setting()))
    world.applied(outcome)

    (unlocked,) = [each for each in outcome.events if isinstance(each, UserUnlocked)]
    assert unlocked.reason == reason
    assert world.ana.locked_until is None
