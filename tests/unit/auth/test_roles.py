"""Roles: declared in a file, held by users, given by nobody who has less."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from authbus.commands import AnyCommand, GrantRole, RevokeRole
from authbus.events import RoleGranted, RoleRevoked
from authbus.replies import Code, Rejected, UserRoles
from authbus_service.auth.acting import Acting
from authbus_service.auth.handlers import apply, decide
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.private import NOTHING
from authbus_service.auth.proof import Proof
from authbus_service.auth.roles.declaring import read_roles
from authbus_service.auth.roles.permissions import Permission
from authbus_service.auth.roles.roles import BUILT_IN, Roles
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.user import User
from authbus_service.core.config import ConfigError
from authbus_service.core.ids import new_id
from authbus_service.core.security.operator import Operator
from tests.rig.made import NOW, POLICY, a_request, a_session

TOKEN = SecretStr("a token")
SOON = NOW + timedelta(minutes=1)
ROLES = Roles(
    {
        **BUILT_IN.declared,
        "clerk": frozenset({"orders:write"}),
        "lead": frozenset({"roles:grant", "orders:write"}),
    }
)
FORBIDDEN = Outcome(Rejected.because(Code.FORBIDDEN))


class World:
    """A lead who may give what a lead has, and Ana."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.lead, self.ana = self._user(("lead",)), self._user(())
        session = a_session(self.lead.id)
        self.rows.sessions.known[session.id] = session
        self.acting = Acting(self.lead.id, session.id, SOON)

    def _user(self, roles: tuple[str, ...]) -> User:
        user = User(new_id(), 4, "active", "phc", 1, NOW, "user@example.com", roles)
        self.rows.users.by_id[user.id] = user
        return user

    def decided(self, command: AnyCommand) -> Outcome:
        policy = replace(POLICY, roles=ROLES)
        return decide(a_request(command), Proof(acting=self.acting), self.rows, NOW, policy)

    def grant(self, role: str) -> GrantRole:
        return GrantRole(access_token=TOKEN, user_id=self.ana.id, role=role)

    def revoke(self, role: str) -> RevokeRole:
        return RevokeRole(access_token=TOKEN, user_id=self.ana.id, role=role)


@pytest.fixture
def world() -> World:
    return World()


def test_a_role_is_given_and_taken_once_each_with_an_event(world: World) -> None:
    given = world.decided(world.grant("clerk"))
    states = [apply(each, NOTHING, world.rows, NOW) for each in given.events]
    again = world.decided(world.grant("clerk"))
    taken = world.decided(world.revoke("clerk"))
    states += [apply(each, NOTHING, world.rows, NOW) for each in taken.events]
    nothing = world.decided(world.revoke("clerk"))

    assert [type(each) for each in (*given.events, *taken.events)] == [RoleGranted, RoleRevoked]
    assert given.answer == again.answer == UserRoles(user_id=world.ana.id, roles=("clerk",))
    assert taken.answer == nothing.answer == UserRoles(user_id=world.ana.id, roles=())
    assert again.events == nothing.events == ()
    assert [getattr(each, "roles", None) for each in states] == [("clerk",), ()]
    assert given.events[0].actor == f"admin:{world.lead.id}"


def test_nobody_gives_or_takes_a_role_that_permits_more_than_their_own(world: World) -> None:
    world.ana.roles = ("admin",)

    assert world.decided(world.grant("admin")) == FORBIDDEN
    assert world.decided(world.revoke("admin")) == FORBIDDEN
    world.lead.roles = ("clerk",)
    assert world.decided(world.grant("clerk")) == FORBIDDEN


def test_an_administrator_gives_any_role_also_one_for_modules_downstream(world: World) -> None:
    world.lead.roles = ("admin",)

    outcome = world.decided(world.grant("clerk"))

    assert outcome.answer == UserRoles(user_id=world.ana.id, roles=("clerk",))


def test_an_operator_gives_any_role(world: World) -> None:
    request = a_request(world.grant("admin"))
    proof = Proof(operator=Operator(request.id, SOON))

    outcome = decide(request, proof, world.rows, NOW, POLICY)

    assert outcome.answer == UserRoles(user_id=world.ana.id, roles=("admin",))


def test_a_role_that_is_not_declared_is_not_given_but_can_be_taken(world: World) -> None:
    world.ana.roles = ("gone",)

    assert world.decided(world.grant("gone")) == Outcome(Rejected.because(Code.ROLE_UNKNOWN))
    assert world.decided(world.revoke("gone")).answer == UserRoles(user_id=world.ana.id, roles=())


def test_a_file_adds_roles_to_the_built_in_one(tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    path.write_text('[[role]]\nname = "clerk"\npermissions = ["orders:read", "users:read"]\n')

    roles = read_roles(path)

    assert roles.in_tokens(["clerk", "gone"]) == ("orders:read", "users:read")
    assert roles.permissions(["admin"]) == frozenset(Permission)
    assert read_roles(None) == BUILT_IN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[role",
        '[[role]]\nname = "admin"\npermissions = ["a:b"]\n',
        '[[role]]\nname = "clerk"\npermissions = []\n',
        '[[role]]\nname = "clerk"\npermissions = ["orders"]\n',
        '[[role]]\nname = "clerk"\npermissions = ["orders:*"]\n',
        '[[role]]\nname = "a b"\npermissions = ["a:b"]\n',
        '[[role]]\nname = "a"\npermissions = ["a:b"]\n' * 2,
        '[[role]]\nname = "a"\npermissions = ["a:b"]\nextra = 1\n',
        '[[role]]\nname = "a"\npermissions = [' + ",".join(f'"a:b{n}"' for n in range(201)) + "]\n",
    ],
)
def test_a_wrong_file_of_roles_says_so(text: str, tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    path.write_text(text)

    with pytest.raises(ConfigError, match="AUTHBUS_ROLES"):
        read_roles(path)


def test_the_file_of_roles_that_is_shown_is_right(repository: Path) -> None:
    assert set(read_roles(repository / "deploy/roles.toml").declared) == {
        "admin",
        "support",
        "clerk",
    }
