"""What is read and hashed before a decision: the same for whoever asks and whatever is wrong."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
from pydantic import SecretStr

from authbus.commands import LogIn, LogOut, RegisterUser
from authbus.export_pages import ExportPage, Place
from authbus.replies import Code, Rejected
from authbus_service.auth.codes.code import OneTimeCode
from authbus_service.auth.guessing.attempt import Attempt, Verdict
from authbus_service.auth.handlers import prepare
from authbus_service.auth.proof import Claim, Proof, Tools
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.search import Found, Search
from authbus_service.auth.users.user import Credential
from authbus_service.core.ids import new_id
from authbus_service.core.security.passwords import Verified
from tests.rig.made import POLICY, a_request

ANA = Credential(new_id(), "phc of ana", 3)
RIGHT = "correct horse battery"


class Nobody:
    """No command of these looks for users."""

    async def find(self, search: Search) -> Found:
        raise NotImplementedError

    async def fill(self, page: ExportPage, user_id: UUID, place: Place) -> None:
        raise NotImplementedError

    async def over(self, user_id: UUID, limit: int) -> list[Session]:
        raise NotImplementedError

    async def open(self, user_id: UUID, limit: int) -> int:
        raise NotImplementedError


@dataclass
class World:
    """One account; counts what is asked and hashed."""

    rehash: bool = False
    verdict: Verdict = Verdict.HELD
    pretended: int = 0
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    asked: list[str | UUID] = field(default_factory=list[str | UUID])
    verified: list[str | None] = field(default_factory=list[str | None])
    hashed: list[bytes | None] = field(default_factory=list[bytes | None])

    @property
    def tools(self) -> Tools:
        return Tools(
            self.credential,
            self.owner,
            self.code,
            self.rows,
            lambda _: None,
            self,
            self.reserve,
            POLICY,
            lookups=Nobody(),
        )

    async def credential(self, canonical: str) -> Credential | None:
        self.asked.append(canonical)
        return ANA if canonical == "ana@example.com" else None

    async def owner(self, session_id: UUID) -> UUID | None:
        self.asked.append(session_id)
        return None

    async def code(self, code_hash: bytes) -> OneTimeCode | None:
        self.asked.append(repr(code_hash))
        return None

    async def rows(self, proof: Proof) -> Rows:
        self.asked.append(repr(proof))
        return Rows()

    async def reserve(self, attempt: Attempt) -> Verdict | None:
        self.attempts.append(attempt)
        return self.verdict

    async def pretend(self) -> None:
        self.pretended += 1

    async def verify(self, phc: str | None, password: str) -> Verified:
        self.verified.append(phc)
        return Verified(ok=phc is not None and password == RIGHT, rehash_needed=self.rehash)

    async def hash(self, password: str, salt: bytes | None = None) -> str:
        self.hashed.append(salt)
        return f"phc of {password}"


async def logged_in(world: World, email: str, password: str) -> Proof:
    request = a_request(LogIn(email=email, password=SecretStr(password)))
    return await prepare(request, world.tools)


async def registered(world: World, email: str, password: str = RIGHT) -> Proof:
    request = a_request(RegisterUser(email=email, password=SecretStr(password)))
    return await prepare(request, world.tools)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ana@example.com", "wrong horse battery"),
        ("nobody@example.com", RIGHT),
        ("no address", RIGHT),
        ("ana@example.com", ""),
        ("nobody@example.com", ""),
        ("ana@example.com", "x" * 4000),
    ],
)
async def test_every_log_in_that_fails_costs_one_question_and_one_hash(
    email: str, password: str
) -> None:
    world = World()

    proof = await logged_in(world, email, password)

    (attempt,) = world.attempts
    known = ANA.user_id if email == "ana@example.com" else None
    assert proof == Proof(user_id=known, attempt=attempt)
    assert (len(world.asked), len(world.verified), len(world.hashed)) == (1, 1, 0)


async def test_a_right_password_is_a_proof_for_the_credential_that_was_read() -> None:
    world = World()

    proof = await logged_in(world, "ANA@example.com", RIGHT)

    assert proof == Proof(
        user_id=ANA.user_id, every_session=True, credential=ANA, attempt=world.attempts[0]
    )
    assert world.hashed == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.7", "192.0.2.8", False),
        ("192.0.2.7", " 192.0.2.7", True),
        ("2001:db8:1:2::7", "2001:db8:1:2:ffff::8", True),
        ("2001:db8:1:2::7", "2001:db8:1:3::7", False),
        ("a phone", "a phone", True),
        (None, None, True),
    ],
)
async def test_guesses_of_one_place_have_one_source(
    one: str | None, other: str | None, *, same: bool
) -> None:
    world = World()

    for each in (one, other):
        log_in = LogIn(email="ana@example.com", password=SecretStr(RIGHT), ip_address=each)
        await prepare(a_request(log_in), world.tools)

    first, second = (each.source for each in world.attempts)
    assert (first == second) is same
    assert (first is None) is (one is None)


@pytest.mark.parametrize("email", ["ana@example.com", "nobody@example.com", "no address"])
async def test_a_log_in_beyond_the_limit_takes_a_hashs_time_and_hashes_nothing(email: str) -> None:
    world = World(verdict=Verdict.REFUSED)

    proof = await logged_in(world, email, RIGHT)

    about = ANA.user_id if email == "ana@example.com" else None
    assert proof == Proof(about=about)
    assert (len(world.asked), world.verified, world.pretended) == (1, [], 1)


async def test_an_attempt_names_no_address_and_is_the_same_for_every_spelling() -> None:
    world = World()

    for email in ("ana@example.com", "ANA@example.com", "bob@example.com"):
        await logged_in(world, email, RIGHT)

    ana, again, bob = (each.key for each in world.attempts)
    assert ana == again != bob
    assert not any(b"ana" in each.key for each in world.attempts)


async def test_a_hash_of_older_parameters_is_made_anew_under_the_commands_own_salt() -> None:
    world = World(rehash=True)
    request = a_request(LogIn(email="ana@example.com", password=SecretStr(RIGHT)))

    proof = await prepare(request, world.tools)

    assert proof.password_hash == f"phc of {RIGHT}"
    assert world.hashed == [request.derived.salt]


async def test_a_taken_address_costs_what_a_free_one_costs() -> None:
    taken, free = World(), World()

    await registered(taken, "ana@example.com")
    proof = await registered(free, "Bob@example.com")

    assert proof.claim == Claim("bob@example.com", "Bob@example.com")
    assert (taken.asked, len(taken.hashed)) == (free.asked, len(free.hashed)) == ([], 1)


@pytest.mark.parametrize(
    ("email", "password", "code"),
    [
        ("no address", RIGHT, Code.EMAIL_INVALID),
        ("bob@example.com", "short", Code.PASSWORD_TOO_SHORT),
        ("bob@example.com", "x" * 2000, Code.PASSWORD_TOO_LONG),
    ],
)
async def test_what_cannot_be_registered_is_refused_before_it_is_hashed(
    email: str, password: str, code: Code
) -> None:
    world = World()

    proof = await registered(world, email, password)

    assert proof == Proof(refusal=Rejected.because(code))
    assert world.hashed == []


async def test_a_log_out_asks_whose_session_it_is_and_hashes_nothing() -> None:
    world = World()
    command = LogOut(session_id=new_id(), refresh_token=SecretStr("x"))

    proof = await prepare(a_request(command), world.tools)

    assert proof == Proof(session_id=command.session_id)
    assert world.asked == [command.session_id]
    assert world.verified == world.hashed == []
