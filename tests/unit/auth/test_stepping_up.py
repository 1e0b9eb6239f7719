"""When a second factor must be shown again, and who may take one from whom."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from authbus.commands import AnyCommand, EraseUser, GrantRole, RevokeRole, UnlockUser
from authbus.replies import Code, Rejected, UserIsUnlocked
from authbus.second_factor import (
    FactorEndReason,
    ResetSecondFactor,
    SecondFactorIsReset,
    TotpDisabled,
)
from authbus_service.auth.acting import Acting
from authbus_service.auth.handlers import apply, decide
from authbus_service.auth.mails import Template
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.private import NOTHING
from authbus_service.auth.proof import Proof
from authbus_service.auth.roles.roles import BUILT_IN, Roles
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User
from authbus_service.core.ids import new_id
from tests.rig.made import NOW, POLICY, a_request, a_session

TOKEN = SecretStr("a token")
HELPER = Roles({**BUILT_IN.declared, "helper": frozenset({"users:write"})})
LIMIT = POLICY.step_up


class World:
    """An administrator with a second factor, and Ana with one."""

    def __init__(self, role: str = "admin") -> None:
        self.rows = Rows()
        self.admin, self.ana = self._user(role), self._user()
        self.session: Session = a_session(self.admin.id, amr=("pwd", "otp", "mfa"))
        self.rows.sessions.known[self.session.id] = self.session
        self.acting = Acting(self.admin.id, self.session.id, NOW + timedelta(minutes=5))

    def _user(self, *roles: str) -> User:
        user = User(new_id(), 4, "active", "phc", 1, NOW, "user@example.com", roles)
        user.second_factor = True
        self.rows.users.by_id[user.id] = user
        return user

    def decided(self, command: AnyCommand) -> Outcome:
        policy = replace(POLICY, roles=HELPER)
        return decide(a_request(command), Proof(acting=self.acting), self.rows, NOW, policy)

    def sensitive(self) -> list[AnyCommand]:
        about: dict[str, Any] = {"access_token": TOKEN, "user_id": self.ana.id}
        return [
            GrantRole(**about, role="helper"),
            RevokeRole(**about, role="helper"),
            EraseUser(**about),
            ResetSecondFactor(**about),
        ]


def codes(outcomes: list[Outcome]) -> list[Code | None]:
    answers = [each.answer for each in outcomes]
    return [each.code if isinstance(each, Rejected) else None for each in answers]


@pytest.mark.parametrize(
    ("age", "amr", "fresh"),
    [
        (timedelta(), ("pwd", "otp", "mfa"), True),
        (LIMIT - timedelta(seconds=1), ("pwd", "otp", "mfa"), True),
        (LIMIT, ("pwd", "otp", "mfa"), False),
        (timedelta(), ("pwd",), False),
    ],
)
def test_an_administrators_sensitive_commands_need_a_recent_second_factor(
    age: timedelta, amr: tuple[str, ...], *, fresh: bool
) -> None:
    world = World()
    world.session.amr, world.session.authenticated_at = amr, NOW - age

    found = codes([world.decided(each) for each in world.sensitive()])
    unlocked = world.decided(UnlockUser(access_token=TOKEN, user_id=world.ana.id))

    assert found == [None if fresh else Code.STEP_UP_REQUIRED] * 4
    assert unlocked.answer == UserIsUnlocked(user_id=world.ana.id)


def test_an_administrator_without_a_second_factor_needs_none() -> None:
    world = World()
    world.admin.second_factor, world.session.amr = False, ("pwd",)

    assert codes([world.decided(each) for each in world.sensitive()]) == [None] * 4


def test_a_lost_second_factor_is_taken_away_once_and_its_user_is_told() -> None:
    world = World()
    world.ana.email_verified = True
    reset = ResetSecondFactor(access_token=TOKEN, user_id=world.ana.id)

    first = world.decided(reset)
    for event in first.events:
        apply(event, NOTHING, world.rows, NOW)
    second = world.decided(reset)

    (event,) = first.events
    assert isinstance(event, TotpDisabled)
    assert (event.reason, event.actor) == (FactorEndReason.ADMIN, f"admin:{world.admin.id}")
    assert [mail.template for mail in first.mails] == [Template.SECOND_FACTOR_OFF]
    assert not world.ana.second_factor
    assert world.rows.factors.dropped == [world.ana.id]
    assert second == Outcome(SecondFactorIsReset(user_id=world.ana.id))


def test_nobody_takes_the_second_factor_of_one_who_may_do_more() -> None:
    world = World("helper")
    reset = ResetSecondFactor(access_token=TOKEN, user_id=world.ana.id)

    of_a_user = world.decided(reset)
    world.ana.roles = ("admin",)
    of_an_admin = world.decided(reset)

    assert codes([of_a_user, of_an_admin]) == [None, Code.FORBIDDEN]
