"""A user's own sessions: who may end which, and what an access token is good for."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from authbus.commands import AnyCommand, EndAllSessions, EndSession
from authbus.events import EndReason, SessionEnded
from authbus.replies import AllSessionsEnded, Code, Rejected, SessionIsEnded
from authbus_service.auth.acting import Acting, read_token
from authbus_service.auth.handlers import apply, decide
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.private import NOTHING
from authbus_service.auth.proof import Proof
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User
from authbus_service.core.ids import new_id
from tests.rig.made import NOW, POLICY, a_request, a_session

TOKEN = SecretStr("a token")
REFUSED = Outcome(Rejected.because(Code.INVALID_TOKEN))


class World:
    """Ana with three live sessions, Bob with one."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.ana, self.bob = self._user(), self._user()
        self.sessions = [self._session(self.ana, each) for each in range(3)]
        self.foreign = self._session(self.bob, 0)
        self.acting = Acting(self.ana.id, self.sessions[0].id, NOW + timedelta(minutes=5))

    def _user(self) -> User:
        user = User(new_id(), 4, "active", "phc", 1, NOW)
        self.rows.users.by_id[user.id] = user
        return user

    def _session(self, user: User, age: int) -> Session:
        session = a_session(user.id, started_at=NOW - timedelta(hours=10 - age))
        self.rows.sessions.known[session.id] = session
        return session

    def decided(self, command: AnyCommand, acting: Acting | None) -> Outcome:
        return decide(a_request(command), Proof(acting=acting), self.rows, NOW, POLICY)

    def applied(self, outcome: Outcome) -> None:
        for event in outcome.events:
            apply(event, NOTHING, self.rows, NOW)


@pytest.fixture
def world() -> World:
    return World()


def test_a_user_ends_another_session_of_theirs_once(world: World) -> None:
    command = EndSession(access_token=TOKEN, session_id=world.sessions[1].id)

    first = world.decided(command, world.acting)
    world.applied(first)
    second = world.decided(command, world.acting)

    (ended,) = first.events
    assert isinstance(ended, SessionEnded)
    assert (ended.session_id, ended.reason) == (world.sessions[1].id, EndReason.REVOKED)
    assert (ended.sequence, world.ana.sequence) == (5, 5)
    assert second == Outcome(SessionIsEnded(session_id=world.sessions[1].id))


def test_a_session_of_somebody_else_is_as_unknown_as_none(world: World) -> None:
    outcomes = [
        world.decided(EndSession(access_token=TOKEN, session_id=each), world.acting)
        for each in (world.foreign.id, new_id())
    ]

    assert outcomes == [Outcome(Rejected.because(Code.SESSION_UNKNOWN))] * 2


@pytest.mark.parametrize("this_one_too", [False, True])
def test_all_sessions_end_each_with_an_event_in_order(world: World, *, this_one_too: bool) -> None:
    command = EndAllSessions(access_token=TOKEN, this_one_too=this_one_too)

    outcome = world.decided(command, world.acting)
    world.applied(outcome)

    ending = world.sessions if this_one_too else world.sessions[1:]
    assert [getattr(each, "session_id", None) for each in outcome.events] == [s.id for s in ending]
    assert [each.sequence for each in outcome.events] == list(range(5, 5 + len(ending)))
    assert outcome.answer == AllSessionsEnded(count=len(ending))
    assert world.foreign.ended_at is None
    assert (world.sessions[0].ended_at is None) is not this_one_too


def test_a_token_is_good_while_its_session_and_its_user_are(world: World) -> None:
    command = EndAllSessions(access_token=TOKEN)
    late = Acting(world.ana.id, world.sessions[0].id, NOW)
    stolen = Acting(world.bob.id, world.sessions[0].id, NOW + timedelta(minutes=5))
    unknown = Acting(new_id(), new_id(), NOW + timedelta(minutes=5))

    outcomes = [world.decided(command, each) for each in (None, late, stolen, unknown)]
    world.sessions[0].ended_at = NOW
    outcomes.append(world.decided(command, world.acting))
    world.sessions[0].ended_at, world.sessions[0].lapses_at = None, NOW
    outcomes.append(world.decided(command, world.acting))
    world.sessions[0].lapses_at = NOW + timedelta(days=1)
    world.sessions[0].client_id = "shop"
    outcomes.append(world.decided(command, world.acting))
    world.sessions[0].client_id = "web"
    world.ana.status = "deactivated"
    outcomes.append(world.decided(command, world.acting))

    assert outcomes == [REFUSED] * 8


CLAIMS = {"iss": "ours", "sub": str(new_id()), "sid": str(new_id()), "iat": 0, "exp": 600}


def read(claims: dict[str, object] | None) -> Acting | None:
    return read_token("a.b.c", issuer="ours", verified=lambda _: claims)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"sub": "x"},
        {"sub": 7},
        {"sid": None},
        {"iat": 2**80 - 1, "exp": 2**80},
        {"exp": "soon"},
        {"iat": None},
        {"exp": 601},
    ],
)
def test_a_token_that_is_not_ours_or_good_for_too_long_names_nobody(
    changes: dict[str, object],
) -> None:
    assert read({**CLAIMS}) is not None
    assert read({**CLAIMS, **changes}) is None


@pytest.mark.parametrize("claims", [None, {}])
def test_claims_that_are_not_there_name_nobody(claims: dict[str, object] | None) -> None:
    assert read(claims) is None
