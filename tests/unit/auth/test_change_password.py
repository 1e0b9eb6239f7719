"""A new password: what is needed for it, what ends with it, what it costs."""

from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from authbus.commands import ChangePassword
from authbus.events import EndReason, PasswordChanged, PasswordReason, SessionEnded
from authbus.password_replies import PasswordIsChanged
from authbus.replies import Code, Rejected
from authbus_service.auth.acting import Acting
from authbus_service.auth.cause import Cause
from authbus_service.auth.guessing.attempt import Attempt, Settled, Verdict
from authbus_service.auth.handlers import decide, prepare
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import Credential, User
from authbus_service.core import clock
from authbus_service.core.ids import new_id
from authbus_service.core.security.passwords import Verified
from tests.rig.made import NOW, POLICY, a_request, a_session, applied

TOKEN = SecretStr("a token")
RIGHT, NEW = "correct horse battery", "staple them together"


@dataclass
class World:
    """Ana with three live sessions; `hashes` counts."""

    rows: Rows = field(default_factory=Rows)
    verified: list[str | None] = field(default_factory=list[str | None])
    hashed: list[bytes | None] = field(default_factory=list[bytes | None])
    verdict: Verdict = Verdict.HELD
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    pretended: int = 0

    def __post_init__(self) -> None:
        self.now = clock.now()
        self.ana = User(new_id(), 4, "active", "phc", 2, NOW, email="Anastasia@example.com")
        self.rows.users.by_id[self.ana.id] = self.ana
        self.sessions = [self._session(each) for each in range(3)]
        self.acting = Acting(self.ana.id, self.sessions[1].id, self.now + timedelta(minutes=5))

    def _session(self, age: int) -> Session:
        session = a_session(
            self.ana.id,
            started_at=self.now - timedelta(hours=10 - age),
            lapses_at=self.now + timedelta(days=1),
        )
        self.rows.sessions.known[session.id] = session
        return session

    async def read(self, _: Proof) -> Rows:
        return self.rows

    async def reserve(self, attempt: Attempt) -> Verdict | None:
        self.attempts.append(attempt)
        return self.verdict

    async def pretend(self) -> None:
        self.pretended += 1

    async def verify(self, phc: str | None, password: str) -> Verified:
        self.verified.append(phc)
        return Verified(ok=password == RIGHT)

    async def hash(self, password: str, salt: bytes | None = None) -> str:
        self.hashed.append(salt)
        return f"phc of {password}"

    async def prepared(self, command: ChangePassword, acting: Acting | None) -> Proof:
        def token(_: str) -> Acting | None:
            return acting

        given: dict[str, Any] = {each.name: None for each in fields(Tools)}
        given |= {"rows": self.read, "token": token, "hashes": self, "policy": POLICY}
        given["reserve"] = self.reserve
        tools = Tools(**given)
        return await prepare(a_request(command), tools)

    @property
    def proof(self) -> Proof:
        return Proof(
            acting=self.acting,
            user_id=self.ana.id,
            every_session=True,
            credential=Credential(self.ana.id, "phc", 2),
            password_hash="new phc",
        )

    def decided(self, proof: Proof) -> Outcome:
        return decide(a_request(a_change()), proof, self.rows, self.now, POLICY)


@pytest.fixture
def world() -> World:
    return World()


def a_change(current: str = RIGHT, new: str = NEW) -> ChangePassword:
    return ChangePassword(
        access_token=TOKEN, current_password=SecretStr(current), new_password=SecretStr(new)
    )


async def test_the_current_password_is_verified_and_the_new_one_hashed_with_the_commands_salt(
    world: World,
) -> None:
    proof = await world.prepared(a_change(), world.acting)

    assert proof == Proof(
        acting=world.acting,
        user_id=world.ana.id,
        every_session=True,
        every_code=True,
        credential=Credential(world.ana.id, "phc", 2),
        password_hash=f"phc of {NEW}",
        attempt=world.attempts[0],
    )
    assert world.verified == ["phc"]
    assert len(world.hashed) == 1
    assert world.hashed[0] is not None


async def test_a_wrong_current_password_costs_one_hash(world: World) -> None:
    proof = await world.prepared(a_change("wrong horse battery"), world.acting)

    (attempt,) = world.attempts
    refusal = Rejected.because(Code.INVALID_CREDENTIALS)
    assert proof == Proof(
        refusal=refusal, acting=world.acting, attempt=attempt, user_id=world.ana.id
    )
    assert (proof.users, proof.sessions) == ({world.ana.id}, set())
    assert attempt.user_id == world.ana.id
    assert (len(world.verified), len(world.hashed)) == (1, 0)
    assert world.decided(proof) == Outcome(refusal, settled=Settled.FAILED)


async def test_beyond_the_limit_of_guesses_nothing_is_hashed(world: World) -> None:
    world.verdict = Verdict.REFUSED

    proof = await world.prepared(a_change(), world.acting)

    refusal = Rejected.because(Code.INVALID_CREDENTIALS)
    assert proof == Proof(refusal=refusal, acting=world.acting)
    assert (world.verified, world.hashed, world.pretended) == ([], [], 1)


@pytest.mark.parametrize(
    ("new", "rule"),
    [
        ("short", Code.PASSWORD_TOO_SHORT),
        ("x" * 2000, Code.PASSWORD_TOO_LONG),
        ("password1234", Code.PASSWORD_COMMON),
        ("anastasia12345", Code.PASSWORD_PERSONAL),
    ],
)
async def test_a_new_password_is_refused_by_the_rule_it_breaks_before_any_hash(
    world: World, new: str, rule: Code
) -> None:
    proof = await world.prepared(a_change(RIGHT, new), world.acting)

    assert proof == Proof(refusal=Rejected.because(rule), acting=world.acting)
    assert proof.users == proof.sessions == set()
    assert world.verified == world.hashed == []


async def test_a_token_of_no_live_session_is_refused_before_any_hash(world: World) -> None:
    unknown = Acting(new_id(), new_id(), world.now + timedelta(minutes=5))
    proofs = [await world.prepared(a_change(), each) for each in (None, unknown)]
    world.sessions[1].ended_at = world.now
    proofs.append(await world.prepared(a_change(), world.acting))

    assert proofs == [Proof(refusal=Rejected.because(Code.INVALID_TOKEN))] * 3
    assert world.verified == world.hashed == []


def test_a_new_password_ends_all_other_sessions_with_events_in_order(world: World) -> None:
    outcome = world.decided(world.proof)
    applied(outcome, Cause(a_request(a_change()), world.rows, world.now, "new phc"))

    changed, *ended = outcome.events
    assert isinstance(changed, PasswordChanged)
    assert changed.reason == PasswordReason.CHANGED
    assert [each.sequence for each in outcome.events] == [5, 6, 7]
    assert [(each.session_id, each.reason) for each in ended if isinstance(each, SessionEnded)] == [
        (world.sessions[each].id, EndReason.PASSWORD_CHANGED) for each in (0, 2)
    ]
    assert outcome.answer == PasswordIsChanged(sessions_ended=2)
    assert (world.ana.password_hash, world.ana.credential_version) == ("new phc", 3)
    assert [each.ended_at is None for each in world.sessions] == [False, True, False]


def test_a_proof_for_an_older_password_is_void_under_the_lock(world: World) -> None:
    world.ana.credential_version = 3

    assert world.decided(world.proof) == Outcome(Rejected.because(Code.INVALID_CREDENTIALS))


def test_a_session_that_ended_while_the_password_was_hashed_changes_nothing(world: World) -> None:
    world.sessions[1].ended_at = world.now

    assert world.decided(world.proof) == Outcome(Rejected.because(Code.INVALID_TOKEN))
