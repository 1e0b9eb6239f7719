"""A refresh token is good once: what comes of the newest, the one before, an older one, a guess."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from authbus.commands import LogIn, LogOut, RefreshSession
from authbus.events import EndReason, SessionEnded, SessionRefreshed
from authbus.replies import Code, LoggedIn, LoggedOut, Refreshed, Rejected
from authbus_service.auth.cause import Cause
from authbus_service.auth.granting import Granting
from authbus_service.auth.handlers import decide
from authbus_service.auth.outcome import Outcome, Renewed
from authbus_service.auth.proof import Proof
from authbus_service.auth.request import Request, refresh_family
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.user import Credential, User
from authbus_service.core.clients import EMBEDDED_CLIENTS
from authbus_service.core.ids import new_id
from authbus_service.core.security.masters import token_hash
from tests.rig.made import NOW, POLICY, a_request, applied

LOG_IN = LogIn(email="ana@example.com", password=SecretStr("correct horse battery"))
INVALID = Rejected.because(Code.INVALID_TOKEN)
GRACE = POLICY.refresh_grace


@dataclass
class World:
    """Ana, logged in once; the clock goes where a test puts it."""

    rows: Rows = field(default_factory=Rows)
    ana: User = field(default_factory=lambda: User(new_id(), 4, "active", "phc", 1, NOW))
    at: datetime = NOW
    signed: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def __post_init__(self) -> None:
        self.rows.users.by_id[self.ana.id] = self.ana
        credential = Credential(self.ana.id, self.ana.password_hash, self.ana.credential_version)
        reply = self.told(a_request(LOG_IN), Proof(user_id=self.ana.id, credential=credential))
        assert isinstance(reply, LoggedIn)
        self.session_id, self.first = reply.session_id, reply.refresh_token.get_secret_value()

    def decided(self, request: Request, proof: Proof) -> Outcome:
        before = repr(self.rows)
        outcome = decide(request, proof, self.rows, self.at, POLICY)
        assert repr(self.rows) == before, "decide changes nothing"
        applied(outcome, Cause(request, self.rows, self.at, proof.password_hash))
        return outcome

    def told(self, request: Request, proof: Proof) -> Any:
        return Granting("us", self.sign)(self.decided(request, proof).answer, request)

    def sign(self, claims: dict[str, Any]) -> str:
        self.signed.append(claims)
        return f"token {claims['jti']}"

    def asked(self, token: str, *, id_: UUID | None = None, **changes: Any) -> Request:
        command = RefreshSession(session_id=self.session_id, refresh_token=SecretStr(token))
        return replace(a_request(command, id_=id_), **changes)

    def proof(self) -> Proof:
        return Proof(user_id=self.ana.id, session_id=self.session_id)

    def refresh(self, token: str) -> Outcome:
        return self.decided(self.asked(token), self.proof())

    def rotated(self, token: str) -> str:
        """The next token for this one."""
        reply = self.told(self.asked(token), self.proof())
        assert isinstance(reply, Refreshed)
        return reply.refresh_token.get_secret_value()


@pytest.fixture
def world() -> World:
    return World()


def test_the_newest_token_is_changed_for_another_and_the_session_goes_on(world: World) -> None:
    world.at = NOW + timedelta(days=3)
    request = world.asked(world.first)

    outcome = world.decided(request, world.proof())

    lapses_at = world.at + POLICY.session_idle
    assert outcome.events == (
        SessionRefreshed(
            user_id=world.ana.id,
            sequence=world.ana.sequence,
            actor=f"user:{world.ana.id}",
            causation_id=request.id,
            session_id=world.session_id,
            lapses_at=lapses_at,
        ),
    )
    session = world.rows.sessions.known[world.session_id]
    assert (session.last_used_at, session.lapses_at) == (world.at, lapses_at)
    assert session.previous_hash == token_hash(world.first)
    assert session.refresh_hash == token_hash(request.derived.next_refresh_token(world.first))


def test_the_new_access_token_has_its_own_id_and_the_log_ins_time(world: World) -> None:
    world.at = NOW + timedelta(days=3)

    world.rotated(world.first)

    logged_in, refreshed = world.signed
    assert refreshed["jti"] != logged_in["jti"]
    assert refreshed["auth_time"] == logged_in["auth_time"] == int(NOW.timestamp())
    assert refreshed["iat"] == int(world.at.timestamp())
    assert refreshed["exp"] == int((world.at + POLICY.access_token_lifetime).timestamp())
    same = ("sub", "sid", "amr", "client_id", "aud", "roles", "iss")
    assert [refreshed[each] for each in same] == [logged_in[each] for each in same]


def test_the_same_command_gives_the_same_tokens_and_another_gives_others() -> None:
    one, other, third = World(), World(), World()
    id_ = new_id()
    granted = Renewed.model_validate(
        {
            "user_id": one.ana.id,
            "session_id": one.session_id,
            "amr": ("pwd",),
            "auth_time": NOW,
            "issued_at": NOW,
            "access_token_expires_at": NOW,
            "session_expires_at": NOW,
        }
    )
    granting = Granting("us", one.sign)

    first = granting(granted, one.asked(one.first, id_=id_))
    again = granting(granted, one.asked(one.first, id_=id_))
    others = [granting(granted, each.asked(one.first)) for each in (other, third)]

    assert first == again
    assert isinstance(first, Refreshed)
    assert first not in others
    assert "." in first.refresh_token.get_secret_value()


def test_tokens_of_a_session_share_its_family_and_nothing_else(world: World) -> None:
    second = world.rotated(world.first)
    third = world.rotated(second)

    assert len({world.first, second, third}) == 3
    assert len({refresh_family(each) for each in (world.first, second, third)}) == 1
    assert refresh_family(World().first) != refresh_family(world.first)


def test_the_token_of_before_is_refused_within_the_grace_and_nothing_ends(world: World) -> None:
    second = world.rotated(world.first)
    world.at += GRACE - timedelta(microseconds=1)

    outcome = world.refresh(world.first)

    assert outcome == Outcome(Rejected.because(Code.TOKEN_ROTATED))
    assert world.rotated(second)


def test_the_token_of_before_ends_the_session_after_the_grace(world: World) -> None:
    second = world.rotated(world.first)
    world.at += GRACE

    outcome = world.refresh(world.first)

    (ended,) = outcome.events
    assert outcome.answer == INVALID
    assert isinstance(ended, SessionEnded)
    assert (ended.reason, ended.actor) == (EndReason.TOKEN_REUSE, "service")
    assert world.refresh(second) == Outcome(INVALID)


@pytest.mark.parametrize("generations", [2, 3, 7])
def test_any_older_token_ends_the_session_at_once(world: World, generations: int) -> None:
    newest = world.first
    for _ in range(generations):
        newest = world.rotated(newest)

    outcome = world.refresh(world.first)

    assert [type(each) for each in outcome.events] == [SessionEnded]
    assert world.refresh(newest) == Outcome(INVALID)


def test_a_guess_ends_nothing(world: World) -> None:
    family, _, secret = world.first.partition(".")
    near = "B" if family.startswith("A") else "A"
    guesses = ["", ".", "x", secret, f".{secret}", f"{near}{family[1:]}.{secret}", "x" * 4000]
    guesses += [world.first[1:], World().first]

    outcomes = [world.refresh(each) for each in guesses]

    assert outcomes == [Outcome(INVALID)] * len(guesses)
    assert world.rotated(world.first)


def test_a_session_that_is_over_its_user_or_its_client_gives_no_tokens(world: World) -> None:
    session = world.rows.sessions.known[world.session_id]
    shell = replace(world.asked(world.first), client=EMBEDDED_CLIENTS["shell"])

    outcomes = [
        world.decided(shell, world.proof()),
        world.decided(world.asked(world.first), Proof(session_id=session.id)),
    ]
    world.at = session.lapses_at
    outcomes.append(world.refresh(world.first))
    world.at = NOW
    world.ana.status = "deactivated"
    outcomes.append(world.refresh(world.first))
    world.ana.status = "active"
    session.ended_at = NOW
    outcomes.append(world.refresh(world.first))

    assert outcomes == [Outcome(INVALID)] * 5


def test_no_refresh_carries_a_session_past_its_end(world: World) -> None:
    session = world.rows.sessions.known[world.session_id]
    token = world.first
    while world.at + POLICY.session_idle / 2 < session.expires_at:
        world.at += POLICY.session_idle / 2
        token = world.rotated(token)
    world.at = session.expires_at - timedelta(minutes=1)
    reply = world.told(world.asked(token), world.proof())

    assert reply.access_token_expires_at == reply.session_expires_at == session.expires_at
    assert session.lapses_at == session.expires_at == NOW + POLICY.session_lifetime
    world.at = session.expires_at
    assert world.refresh(reply.refresh_token.get_secret_value()) == Outcome(INVALID)


def test_whoever_held_a_token_of_the_session_may_log_out(world: World) -> None:
    world.rotated(world.first)
    command = LogOut(session_id=world.session_id, refresh_token=SecretStr(world.first))

    outcome = world.decided(a_request(command), world.proof())

    (ended,) = outcome.events
    assert isinstance(ended, SessionEnded)
    assert outcome.answer == LoggedOut(session_id=world.session_id)
    assert ended.reason == EndReason.LOGOUT
