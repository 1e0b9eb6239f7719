"""The first mail to an address that anybody read: what a stranger set up before goes."""

from pydantic import SecretStr

from authbus.commands import CompletePasswordReset
from authbus.second_factor import FactorEndReason, TotpDisabled
from authbus_service.auth.cause import Cause
from authbus_service.auth.codes.code import OneTimeCode, Purpose
from authbus_service.auth.factors.factor import Factor
from authbus_service.auth.handlers import decide
from authbus_service.auth.mails import Template
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.proof import Proof
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.user import User
from authbus_service.core.ids import new_id
from tests.rig.made import NOW, POLICY, a_request, a_session, applied

ADDRESS = "ana@example.com"


class World:
    """An account of Ana's address with a second factor, and a code for a new password."""

    def __init__(self, *, is_verified: bool) -> None:
        self.rows = Rows()
        self.ana = User(new_id(), 4, "active", "phc", 1, NOW, ADDRESS)
        self.ana.email_verified, self.ana.second_factor = is_verified, True
        self.rows.users.by_id[self.ana.id] = self.ana
        self.rows.factors.known[self.ana.id] = Factor(self.ana.id, b"secret", NOW, NOW)
        session = a_session(self.ana.id)
        self.rows.sessions.known[session.id] = session
        lifetime = Purpose.RESET_PASSWORD.lifetime
        code = OneTimeCode(
            b"code", self.ana.id, Purpose.RESET_PASSWORD, ADDRESS, NOW, NOW + lifetime
        )
        self.rows.codes.known[code.hash] = code

    def reset(self) -> Outcome:
        command = CompletePasswordReset(code=SecretStr("a code"), new_password=SecretStr("new"))
        proof = Proof(user_id=self.ana.id, code_hash=b"code", password_hash="new phc")
        request = a_request(command)
        outcome = decide(request, proof, self.rows, NOW, POLICY)
        applied(outcome, Cause(request, self.rows, NOW, proof.password_hash))
        return outcome


def test_a_second_factor_of_an_address_that_nobody_had_shown_ends_with_a_reset() -> None:
    world = World(is_verified=False)

    outcome = world.reset()

    (off,) = [each for each in outcome.events if isinstance(each, TotpDisabled)]
    assert off.reason == FactorEndReason.PASSWORD_RESET
    assert not world.ana.second_factor
    assert world.rows.factors.dropped == [world.ana.id]
    told = [(each.template, each.address) for each in outcome.mails]
    assert told == [(Template.PASSWORD_CHANGED, ADDRESS), (Template.SECOND_FACTOR_OFF, ADDRESS)]


def test_a_second_factor_of_an_address_that_was_shown_outlives_a_reset() -> None:
    world = World(is_verified=True)

    outcome = world.reset()

    assert not [each for each in outcome.events if isinstance(each, TotpDisabled)]
    assert world.ana.second_factor
    assert [each.template for each in outcome.mails] == [Template.PASSWORD_CHANGED]
