"""An administrator takes a password away."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from authbus.commands import ForcePasswordReset
from authbus.events import EndReason, PasswordResetForced, SessionEnded
from authbus.password_replies import PasswordIsVoid
from authbus.replies import Code, Rejected
from authbus.state import UserStatus
from authbus_service.auth.acting import Acting
from authbus_service.auth.cause import Cause
from authbus_service.auth.codes.code import OneTimeCode, Purpose
from authbus_service.auth.handlers import decide
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.proof import Proof
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.user import User
from authbus_service.core.ids import new_id
from authbus_service.core.security.masters import token_hash
from authbus_service.core.security.passwords import Hasher
from tests.rig.made import NOW, POLICY, a_request, a_session, applied
from tests.rig.world import CHEAP

HOUR = timedelta(hours=1)


class World:
    """Root, an administrator, and Ana with a live session and a code in her mailbox."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.root, self.ana = self._user("admin"), self._user()
        self.acting = Acting(self.root.id, self._session(self.root), NOW + HOUR)
        self.session = self._session(self.ana)
        self.code = OneTimeCode(
            b"old", self.ana.id, Purpose.RESET_PASSWORD, self.ana.email, NOW, NOW + HOUR
        )
        self.rows.codes.known[self.code.hash] = self.code
        self.request = a_request(
            ForcePasswordReset(access_token=SecretStr("a token"), user_id=self.ana.id)
        )

    def _user(self, *roles: str) -> User:
        user = User(new_id(), 4, "active", "phc", 1, NOW, "ana@example.com", roles)
        self.rows.users.by_id[user.id] = user
        return user

    def _session(self, user: User) -> Any:
        session = a_session(user.id)
        self.rows.sessions.known[session.id] = session
        return session.id

    def decided(self, acting: Acting | None) -> Outcome:
        return decide(self.request, Proof(acting=acting), self.rows, NOW, POLICY)

    def applied(self, outcome: Outcome) -> None:
        applied(outcome, Cause(self.request, self.rows, NOW))


@pytest.fixture
def world() -> World:
    return World()


def test_a_password_is_void_its_sessions_end_and_a_mail_leads_to_another(world: World) -> None:
    outcome = world.decided(world.acting)
    world.applied(outcome)

    forced, ended = outcome.events
    assert isinstance(forced, PasswordResetForced)
    assert isinstance(ended, SessionEnded)
    assert forced.actor == ended.actor == f"admin:{world.root.id}"
    assert (ended.session_id, ended.reason) == (world.session, EndReason.ADMIN)
    assert outcome.answer == PasswordIsVoid(user_id=world.ana.id, sessions_ended=1)
    assert outcome.mails == (Mail(Template.FORCE_RESET, world.ana.id, world.ana.email),)
    assert (world.ana.password_hash, world.ana.credential_version) == ("", 2)
    code = world.request.derived.code(Purpose.RESET_PASSWORD)
    assert world.rows.codes.known[token_hash(code)].is_open(Purpose.RESET_PASSWORD, NOW)
    assert world.code.used_at == NOW


def test_a_deactivated_user_gets_no_mail(world: World) -> None:
    world.ana.status = UserStatus.DEACTIVATED

    outcome = world.decided(world.acting)
    world.applied(outcome)

    assert outcome.mails == ()
    assert world.ana.password_hash == ""
    assert list(world.rows.codes.known) == [world.code.hash]


def test_only_an_administrator_takes_a_password_away(world: World) -> None:
    as_user = Acting(world.ana.id, world.session, NOW + HOUR)

    refusals = [world.decided(each) for each in (as_user, None)]

    codes = (Code.FORBIDDEN, Code.INVALID_TOKEN)
    assert refusals == [Outcome(Rejected.because(each)) for each in codes]


@pytest.mark.parametrize("password", ["", "correct horse battery"])
def test_no_password_is_right_where_there_is_none(password: str) -> None:
    assert not Hasher(CHEAP).verify("", password).ok
