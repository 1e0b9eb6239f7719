"""A user has so many live sessions at most: a log-in beyond it ends the oldest."""

from dataclasses import replace
from datetime import timedelta

from pydantic import SecretStr

from authbus.commands import LogIn
from authbus.events import EndReason, SessionEnded, SessionStarted
from authbus_service.auth.cause import Cause
from authbus_service.auth.handlers import decide
from authbus_service.auth.outcome import Granted, Outcome
from authbus_service.auth.proof import Proof
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.user import Credential, User
from authbus_service.core.ids import new_id
from tests.rig.made import NOW, POLICY, a_request, applied

LOG_IN = LogIn(
    email="ana@example.com",
    password=SecretStr("correct horse battery"),
    device="Firefox on Linux",
    ip_address="192.0.2.7",
)
LIMIT = POLICY.sessions_per_user


class World:
    """Ana, who logs in once a minute."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.ana = User(new_id(), 4, "active", "phc", 1, NOW)
        self.rows.users.by_id[self.ana.id] = self.ana
        self.at = NOW

    def log_in(self, limit: int = LIMIT) -> Outcome:
        self.at += timedelta(minutes=1)
        proof = Proof(
            user_id=self.ana.id, every_session=True, credential=Credential(self.ana.id, "phc", 1)
        )
        policy = replace(POLICY, sessions_per_user=limit)
        request = a_request(LOG_IN)
        outcome = decide(request, proof, self.rows, self.at, policy)
        applied(outcome, Cause(request, self.rows, self.at, proof.password_hash))
        return outcome


def test_one_log_in_too_many_ends_the_oldest_session_in_the_same_command() -> None:
    world = World()
    first = [world.log_in() for _ in range(LIMIT)]

    outcome = world.log_in()

    assert [len(each.events) for each in first] == [1] * LIMIT
    ended, started = outcome.events
    oldest = first[0].events[0]
    assert isinstance(oldest, SessionStarted)
    assert isinstance(ended, SessionEnded)
    assert isinstance(started, SessionStarted)
    assert (ended.session_id, ended.reason) == (oldest.session_id, EndReason.LIMIT)
    assert (ended.sequence, started.sequence) == (started.sequence - 1, world.ana.sequence)
    assert isinstance(outcome.answer, Granted)
    assert outcome.answer.session_id == started.session_id
    assert len(world.rows.sessions_of(world.ana.id, world.at)) == LIMIT


def test_a_smaller_limit_ends_all_that_are_beyond_it() -> None:
    world = World()
    for _ in range(LIMIT):
        world.log_in()

    outcome = world.log_in(limit=1)

    assert [type(each) for each in outcome.events] == [SessionEnded] * LIMIT + [SessionStarted]
    assert len(world.rows.sessions_of(world.ana.id, world.at)) == 1


def test_sessions_that_lapsed_do_not_count() -> None:
    world = World()
    for _ in range(LIMIT):
        world.log_in()
    world.at += POLICY.session_idle

    outcome = world.log_in()

    assert [type(each) for each in outcome.events] == [SessionStarted]


def test_what_the_producer_says_of_device_and_address_stays_in_the_row() -> None:
    world = World()

    outcome = world.log_in()

    (session,) = world.rows.sessions_of(world.ana.id, world.at)
    assert (session.device, session.ip_address) == (LOG_IN.device, LOG_IN.ip_address)
    shown = f"{outcome.events} {outcome.answer} {outcome!r} {session!r} {LOG_IN!r}"
    assert "Firefox" not in shown
    assert "192.0.2.7" not in shown
