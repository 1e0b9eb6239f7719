"""How many guesses, how fast, and what a wrong one too many does."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from authbus.commands import LogIn
from authbus.events import SessionStarted, UnlockReason, UserLocked, UserUnlocked
from authbus.replies import Code, Rejected
from authbus_service.auth.cause import Cause
from authbus_service.auth.guessing.attempt import Attempt, Settled, State, StoredAttempt, Verdict
from authbus_service.auth.guessing.limits import MEMORY, SOURCE_MEMORY, Limits
from authbus_service.auth.handlers import decide
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.proof import Proof
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.user import Credential, User
from authbus_service.core.ids import new_id
from tests.rig.made import NOW, POLICY, a_request, applied

KEY, SOURCE = b"key", b"source"
LIMITS = Limits(at_once=3, until_lock=5, lock=timedelta(minutes=10), per_source=4)
SECOND = timedelta(seconds=1)
HELD, FAILED, FORGIVEN, KEPT = State.HELD, State.FAILED, State.FORGIVEN, State.KEPT


def an_attempt() -> Attempt:
    return Attempt(KEY, new_id(), NOW + timedelta(minutes=1), SOURCE)


def rows(count: int, state: State, *, ago: timedelta = timedelta()) -> list[StoredAttempt]:
    return [
        StoredAttempt(
            KEY, new_id(), SOURCE, None, state, NOW - ago, NOW - ago + timedelta(minutes=1)
        )
        for _ in range(count)
    ]


def verdict(of_key: Sequence[StoredAttempt], of_source: Sequence[StoredAttempt] = ()) -> Verdict:
    return LIMITS.verdict(an_attempt(), of_key, of_source, NOW)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (2, 0), (3, 1), (4, 2), (5, 600), (50, 600)],
)
def test_the_wait_doubles_and_ends_in_a_lock(failures: int, seconds: int) -> None:
    assert LIMITS.wait(failures) == timedelta(seconds=seconds)


def test_no_wait_is_longer_than_a_lock() -> None:
    patient = Limits(at_once=1, until_lock=100, lock=timedelta(minutes=1))

    assert {patient.wait(each) for each in range(10, 100)} == {timedelta(minutes=1)}


@pytest.mark.parametrize(
    ("of_key", "expected"),
    [
        ([], Verdict.HELD),
        (rows(2, FAILED), Verdict.HELD),
        (rows(2, FAILED) + rows(1, HELD), Verdict.WAIT),
        (rows(3, HELD), Verdict.WAIT),
        (rows(3, HELD, ago=timedelta(minutes=1)), Verdict.HELD),
        (rows(3, FAILED), Verdict.REFUSED),
        (rows(3, FAILED, ago=SECOND), Verdict.HELD),
        (rows(3, FAILED, ago=SECOND) + rows(1, HELD), Verdict.WAIT),
        (rows(5, FAILED, ago=10 * SECOND), Verdict.REFUSED),
        (rows(5, FAILED, ago=600 * SECOND), Verdict.HELD),
        (rows(5, FAILED, ago=MEMORY), Verdict.HELD),
        (rows(9, FORGIVEN), Verdict.HELD),
        (rows(5, KEPT, ago=10 * SECOND), Verdict.REFUSED),
        (rows(99, KEPT, ago=30 * MEMORY), Verdict.HELD),
        (rows(100, KEPT, ago=30 * MEMORY), Verdict.REFUSED),
    ],
)
def test_what_was_wrong_and_what_is_under_way_leave_room_or_not(
    of_key: list[StoredAttempt], expected: Verdict
) -> None:
    assert verdict(of_key) is expected


@pytest.mark.parametrize(
    ("of_source", "expected"),
    [
        (rows(3, FAILED), Verdict.HELD),
        (rows(3, FAILED) + rows(1, HELD), Verdict.WAIT),
        (rows(2, FAILED) + rows(2, FORGIVEN), Verdict.REFUSED),
        (rows(4, FAILED, ago=SOURCE_MEMORY), Verdict.HELD),
    ],
)
def test_a_source_fails_so_many_times_an_hour_whatever_account(
    of_source: list[StoredAttempt], expected: Verdict
) -> None:
    assert verdict([], of_source) is expected


def test_what_was_reserved_before_is_its_own_reservation_and_of_no_other_guess() -> None:
    attempt = an_attempt()
    own = StoredAttempt(KEY, attempt.command_id, None, None, HELD, NOW, attempt.expires_at)

    other = replace(own, content=b"another guess")

    assert LIMITS.verdict(attempt, [*rows(9, FAILED), own], [], NOW) is Verdict.HELD
    assert LIMITS.verdict(attempt, [other], [], NOW) is Verdict.REFUSED


def test_what_was_forgiven_since_is_judged_anew_when_it_comes_again() -> None:
    attempt = an_attempt()
    own = StoredAttempt(KEY, attempt.command_id, None, None, FORGIVEN, NOW, attempt.expires_at)

    assert LIMITS.verdict(attempt, [*rows(5, FAILED), own], [], NOW) is Verdict.REFUSED
    assert LIMITS.verdict(attempt, [own, *rows(1, HELD)], [], NOW) is Verdict.HELD


class World:
    """Ana, and what was wrong about her account before."""

    def __init__(self, failures: int = 0) -> None:
        self.rows = Rows()
        self.ana = User(new_id(), 4, "active", "phc", 1, NOW)
        self.rows.users.by_id[self.ana.id] = self.ana
        self.rows.attempts.add(rows(failures, FAILED, ago=SECOND))

    def decided(self, *, wrong: bool) -> Outcome:
        attempt = Attempt(KEY, new_id(), NOW, None, self.ana.id)
        credential = None if wrong else Credential(self.ana.id, "phc", 1)
        proof = Proof(user_id=self.ana.id, credential=credential, attempt=attempt)
        request = a_request(LogIn(email="ana@example.com", password=SecretStr("x")))
        outcome = decide(request, proof, self.rows, NOW, POLICY)
        applied(outcome, Cause(request, self.rows, NOW, proof.password_hash))
        self.rows.attempts.settle(attempt, outcome.settled, NOW)
        return outcome


REFUSAL = Rejected.because(Code.INVALID_CREDENTIALS)


def test_a_wrong_guess_too_many_locks_once() -> None:
    world = World(failures=8)

    outcomes = [world.decided(wrong=True) for _ in range(4)]

    assert [each.answer for each in outcomes] == [REFUSAL] * 4
    assert [each.settled for each in outcomes] == [Settled.FAILED] * 4
    assert [len(each.events) for each in outcomes] == [0, 1, 0, 0]
    (locked,) = outcomes[1].events
    assert isinstance(locked, UserLocked)
    assert (locked.sequence, locked.actor) == (5, "service")
    assert locked.until == world.ana.locked_until == NOW + POLICY.guessing.lock


def test_a_right_password_under_a_lock_is_refused_as_a_wrong_one_is() -> None:
    world = World()
    world.ana.locked_until = NOW + SECOND

    assert world.decided(wrong=False) == Outcome(REFUSAL, settled=Settled.FAILED)


def test_a_log_in_after_a_lock_tells_that_it_is_over_and_clears_what_was_wrong() -> None:
    world = World(failures=9)
    world.ana.locked_until = NOW

    outcome = world.decided(wrong=False)

    unlocked, started = outcome.events
    assert isinstance(unlocked, UserUnlocked)
    assert isinstance(started, SessionStarted)
    assert (unlocked.sequence, unlocked.reason) == (5, UnlockReason.EXPIRED)
    assert (started.sequence, world.ana.sequence) == (6, 6)
    assert world.ana.locked_until is None
    assert outcome.settled is Settled.CLEARED
    assert world.rows.attempts.failures(KEY, NOW) == 0
