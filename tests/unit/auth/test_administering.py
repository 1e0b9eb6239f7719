"""Who may administer: by a role in the database, by a session that lives, or by the master key."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from authbus.commands import (
    AnyCommand,
    DeactivateUser,
    EraseUser,
    ForcePasswordReset,
    ReactivateUser,
    UnlockUser,
)
from authbus.events import (
    DeactivationReason,
    EndReason,
    SessionEnded,
    UserDeactivated,
    UserUnlocked,
)
from authbus.replies import (
    Code,
    Rejected,
    UserIsActive,
    UserIsDeactivated,
    UserIsUnlocked,
)
from authbus.state import UserState, UserStatus
from authbus_service.auth.acting import Acting
from authbus_service.auth.handlers import apply, decide
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.private import NOTHING
from authbus_service.auth.proof import Proof
from authbus_service.auth.roles.roles import BUILT_IN, Roles
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User
from authbus_service.core.ids import new_id
from authbus_service.core.security.keyring import KeyRing
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.operator import Operator, operator_token, read_operator
from tests.rig.made import MASTERS, NOW, POLICY, a_request, a_session

TOKEN = SecretStr("a token")
SOON = NOW + timedelta(minutes=1)


class World:
    """Root, who is an administrator, and Ana, who has two live sessions."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.root, self.ana = self._user(("admin",)), self._user()
        self.session = self._session(self.root)
        self.sessions = [self._session(self.ana) for _ in range(2)]
        self.acting = Acting(self.root.id, self.session.id, SOON)
        self.policy = POLICY
        self.deactivate = DeactivateUser(
            access_token=TOKEN, user_id=self.ana.id, reason="compromised"
        )

    def _user(self, roles: tuple[str, ...] = ()) -> User:
        user = User(new_id(), 4, "active", "phc", 1, NOW, "user@example.com", roles)
        self.rows.users.by_id[user.id] = user
        return user

    def _session(self, user: User) -> Session:
        session = a_session(user.id)
        self.rows.sessions.known[session.id] = session
        return session

    def decided(self, command: AnyCommand, **proof: Any) -> Outcome:
        given = Proof(**(proof or {"acting": self.acting}))
        return decide(a_request(command), given, self.rows, NOW, self.policy)

    def applied(self, outcome: Outcome) -> list[Any]:
        return [apply(event, NOTHING, self.rows, NOW) for event in outcome.events]


@pytest.fixture
def world() -> World:
    return World()


def test_an_administrator_shuts_an_account_and_its_sessions_end(world: World) -> None:
    outcome = world.decided(world.deactivate)
    states = world.applied(outcome)
    again = world.decided(world.deactivate)

    shut, *ended = outcome.events
    assert isinstance(shut, UserDeactivated)
    assert shut.reason is DeactivationReason.COMPROMISED
    assert [each.actor for each in outcome.events] == [f"admin:{world.root.id}"] * 3
    assert [each.sequence for each in outcome.events] == [5, 6, 7]
    assert {each.session_id for each in ended if isinstance(each, SessionEnded)} == {
        each.id for each in world.sessions
    }
    assert {each.end_reason for each in world.sessions} == {EndReason.DEACTIVATED}
    assert states[0] == UserState(
        user_id=world.ana.id, sequence=5, email="user@example.com", status=UserStatus.DEACTIVATED
    )
    assert outcome.answer == UserIsDeactivated(user_id=world.ana.id, sessions_ended=2)
    assert again == Outcome(UserIsDeactivated(user_id=world.ana.id, sessions_ended=0))


def test_an_account_is_opened_again_once(world: World) -> None:
    world.applied(world.decided(world.deactivate))
    open_again = ReactivateUser(access_token=TOKEN, user_id=world.ana.id)

    outcome = world.decided(open_again)
    world.applied(outcome)

    assert len(outcome.events) == 1
    assert world.ana.is_active
    assert world.decided(open_again) == Outcome(UserIsActive(user_id=world.ana.id))


@pytest.mark.parametrize(
    "what", [DeactivateUser, ReactivateUser, UnlockUser, ForcePasswordReset, EraseUser]
)
def test_nobody_acts_on_the_account_of_one_who_may_do_more(
    world: World, what: Callable[..., AnyCommand]
) -> None:
    helper = {"helper": frozenset({"users:write", "users:erase"})}
    world.policy = replace(POLICY, roles=Roles({**BUILT_IN.declared, **helper}))
    world.root.roles, world.ana.roles = ("helper",), ("admin",)
    command = what(access_token=TOKEN, user_id=world.ana.id)

    of_an_admin = world.decided(command)
    world.ana.roles = ("helper",)
    of_an_equal = world.decided(command)

    assert of_an_admin == Outcome(Rejected.because(Code.FORBIDDEN))
    assert not isinstance(of_an_equal.answer, Rejected)


def test_an_account_is_unlocked_once_and_its_wrong_guesses_are_forgiven(world: World) -> None:
    unlock = UnlockUser(access_token=TOKEN, user_id=world.ana.id)
    world.ana.locked_until = NOW

    outcome = world.decided(unlock)
    world.applied(outcome)

    assert [type(each) for each in outcome.events] == [UserUnlocked]
    assert world.ana.locked_until is None
    assert world.rows.attempts.forgiven == {world.ana.id}
    again = world.decided(unlock)
    assert (again.answer, again.events) == (UserIsUnlocked(user_id=world.ana.id), ())
    assert again.cleared == outcome.cleared


def test_a_role_that_was_taken_away_after_the_token_was_made_permits_nothing(
    world: World,
) -> None:
    world.root.roles = ()

    outcome = world.decided(world.deactivate)

    assert outcome == Outcome(Rejected.because(Code.FORBIDDEN))


def test_a_role_without_the_permission_is_not_enough(world: World) -> None:
    world.root.roles = ("reader", "unknown")
    world.policy = replace(POLICY, roles=Roles({"reader": frozenset({"users:read"})}))

    outcome = world.decided(world.deactivate)

    assert outcome == Outcome(Rejected.because(Code.FORBIDDEN))


@pytest.mark.parametrize("what", ["ended", "expired", "shut", "nobody", "no proof"])
def test_an_administrator_whose_session_or_account_is_over_is_nobody(
    world: World, what: str
) -> None:
    proof: Mapping[str, Any] = {"acting": world.acting}
    match what:
        case "ended":
            world.session.ended_at = NOW
        case "expired":
            proof = {"acting": replace(world.acting, expires_at=NOW)}
        case "shut":
            world.root.status = "deactivated"
        case "nobody":
            proof = {"acting": Acting(new_id(), world.session.id, SOON)}
        case _:
            proof = {"acting": None}

    outcome = world.decided(world.deactivate, **proof)

    assert outcome == Outcome(Rejected.because(Code.INVALID_TOKEN))


def test_an_unknown_user_is_told_to_an_administrator_alone(world: World) -> None:
    command = DeactivateUser(access_token=TOKEN, user_id=new_id())

    known = world.decided(command)
    world.root.roles = ()
    forbidden = world.decided(command)

    assert known == Outcome(Rejected.because(Code.USER_UNKNOWN))
    assert forbidden == Outcome(Rejected.because(Code.FORBIDDEN))


def test_an_operators_proof_is_good_for_its_command_and_its_minute_alone(world: World) -> None:
    world.ana.roles = ("admin",)
    request = a_request(world.deactivate)

    def decided(operator: Operator) -> Outcome:
        return decide(request, Proof(operator=operator), world.rows, NOW, POLICY)

    good = decided(Operator(request.id, SOON))
    other = decided(Operator(new_id(), SOON))
    late = decided(Operator(request.id, NOW))

    assert [each.actor for each in good.events] == ["operator"] * 3
    assert other == late == Outcome(Rejected.because(Code.INVALID_TOKEN))


def test_only_a_master_of_this_installation_makes_an_operators_proof() -> None:
    id_ = new_id()
    token = operator_token(MASTERS, issuer="ours", command_id=id_, at=NOW)
    older = Masters([bytes(range(1, 33)), bytes(range(32))])
    stranger = Masters([bytes(range(1, 33))])

    found = read_operator(token, issuer="ours", keyring=KeyRing(MASTERS))
    previous = read_operator(token, issuer="ours", keyring=KeyRing(older))

    assert found == previous == Operator(id_, (NOW + timedelta(minutes=2)))
    assert read_operator(token, issuer="theirs", keyring=KeyRing(MASTERS)) is None
    assert read_operator(token, issuer="ours", keyring=KeyRing(stranger)) is None
    for broken in ("", "a.b.c", token[:-4] + "AAAA", token.swapcase()):
        assert read_operator(broken, issuer="ours", keyring=KeyRing(MASTERS)) is None
