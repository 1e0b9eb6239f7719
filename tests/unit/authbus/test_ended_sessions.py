"""Which sessions are known to have ended, and how old the feed of them is."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from authbus.ended_sessions import TOKEN_LIFETIME, EndedSessions
from authbus.state import FeedAlive, SessionRevoked
from tests.unit.authbus.records import a_record

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = NOW + timedelta(seconds=6)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def beat(ended: EndedSessions, at: datetime, *partitions: int) -> None:
    value = FeedAlive(published_through=at).model_dump_json().encode()
    for partition in partitions:
        ended.read(a_record(value, key=b"alive", partition=partition))


def end(ended: EndedSessions, session: UUID, at: datetime, *, said: int) -> None:
    told = SessionRevoked(session_id=session, user_id=uuid4(), ended_at=at)
    ended.read(a_record(told.model_dump_json().encode(), key=session.bytes, timestamp=said))


def in_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def test_an_end_is_remembered_for_twenty_minutes_from_when_it_was_heard() -> None:
    clock = Clock()
    ended, late, then, much_later = EndedSessions(clock), uuid4(), uuid4(), uuid4()
    end(ended, late, NOW - timedelta(hours=1), said=in_ms(NOW))

    clock.seconds = 19 * 60
    end(ended, then, LATER, said=in_ms(LATER))
    assert late in ended

    clock.seconds = 21 * 60
    end(ended, much_later, LATER, said=in_ms(LATER))
    assert late not in ended
    assert then in ended
    assert much_later in ended


def test_an_end_that_is_heard_again_is_remembered_anew_and_holds_up_no_other() -> None:
    clock = Clock()
    ended, again, once = EndedSessions(clock), uuid4(), uuid4()
    end(ended, again, NOW, said=in_ms(NOW))
    end(ended, once, NOW, said=in_ms(NOW))

    clock.seconds = 15 * 60
    end(ended, again, NOW, said=in_ms(NOW))
    clock.seconds = 25 * 60
    end(ended, uuid4(), NOW, said=in_ms(NOW))

    assert again in ended
    assert once not in ended


@pytest.mark.parametrize("at", [NOW - timedelta(days=365), NOW, NOW + timedelta(days=365)])
def test_no_time_that_an_end_claims_keeps_others_for_ever(at: datetime) -> None:
    clock = Clock()
    ended = EndedSessions(clock)
    end(ended, first := uuid4(), at, said=in_ms(at))
    end(ended, second := uuid4(), NOW, said=in_ms(NOW))

    clock.seconds = 21 * 60
    end(ended, uuid4(), NOW, said=in_ms(NOW))

    assert first not in ended
    assert second not in ended


@pytest.mark.parametrize("said", [-1, 0, in_ms(NOW + timedelta(days=365)), 2**63 - 1])
def test_no_time_that_a_record_claims_makes_an_end_forgotten(said: int) -> None:
    ended, before, this, after = EndedSessions(), uuid4(), uuid4(), uuid4()
    end(ended, before, NOW, said=in_ms(NOW))

    end(ended, this, NOW, said=said)
    end(ended, after, LATER, said=in_ms(LATER))

    assert [each in ended for each in (before, this, after)] == [True] * 3


@pytest.mark.parametrize(("ahead", "stamp"), [(60, 0), (0, 60)], ids=["database", "relay"])
def test_no_clock_that_is_ahead_for_a_moment_makes_an_end_forgotten(ahead: int, stamp: int) -> None:
    ended, before, this = EndedSessions(), uuid4(), uuid4()
    end(ended, before, NOW, said=in_ms(NOW))

    at, said = LATER + timedelta(minutes=ahead), LATER + timedelta(minutes=stamp)
    end(ended, this, at, said=in_ms(said))

    assert before in ended
    assert this in ended


def test_a_partition_that_came_later_is_as_old_as_the_rest_and_ages_until_it_speaks() -> None:
    ended = EndedSessions(Clock())
    ended.expect(range(2))
    beat(ended, NOW, 0, 1)

    ended.expect(range(3))
    assert ended.age(NOW) == timedelta()

    beat(ended, LATER, 0, 1)
    assert ended.age(LATER) == LATER - NOW

    beat(ended, LATER, 2)
    assert ended.age(LATER) == timedelta()


def test_a_beat_from_the_future_lets_no_silence_pass_once_the_clock_is_right_again() -> None:
    clock = Clock()
    ended = EndedSessions(clock)
    ended.expect(range(2))
    beat(ended, NOW + timedelta(hours=1), 0, 1)
    beat(ended, NOW, 0, 1)
    assert ended.age(NOW) == timedelta()

    clock.seconds = 6
    assert ended.age(LATER) == timedelta(seconds=6)

    beat(ended, NOW, 0, 1)
    assert ended.age(LATER) == timedelta(seconds=6), "it speaks, of nothing new"


def test_a_feed_is_as_old_as_it_is_silent_whatever_its_last_beat_says() -> None:
    clock = Clock()
    ended = EndedSessions(clock)
    ended.expect(range(2))
    beat(ended, NOW + timedelta(hours=1), 0, 1)

    clock.seconds = 4
    beat(ended, NOW + timedelta(hours=1), 1)
    ended.expect(range(3))
    clock.seconds = 6
    assert ended.age(LATER) == timedelta(seconds=6)

    beat(ended, NOW + timedelta(hours=1), 0)
    assert ended.age(LATER) == timedelta(seconds=6), "a partition that came later has not spoken"

    beat(ended, NOW + timedelta(hours=1), 2)
    assert ended.age(LATER) == timedelta(seconds=2)


def test_a_start_with_a_clock_that_was_right_knows_what_any_token_needs() -> None:
    clock = Clock()
    ended = EndedSessions(clock)
    ended.begins(NOW - 2 * TOKEN_LIFETIME)

    for seconds in (0, 60, 3600):
        clock.seconds = seconds
        assert ended.known_since(NOW + timedelta(seconds=seconds)) == NOW - 2 * TOKEN_LIFETIME


@pytest.mark.parametrize(("ahead", "back"), [(15, 5), (19, 1), (21, 0), (24 * 60, 0)])
def test_a_start_with_a_clock_that_was_ahead_knows_what_ended_since_and_soon_all(
    ahead: int, back: int
) -> None:
    clock = Clock()
    ended = EndedSessions(clock)
    ended.begins(NOW + timedelta(minutes=ahead) - 2 * TOKEN_LIFETIME)
    known = NOW - timedelta(minutes=back)

    clock.seconds = 6
    assert ended.known_since(LATER) == known

    clock.seconds = TOKEN_LIFETIME.total_seconds()
    assert ended.known_since(NOW + TOKEN_LIFETIME) == known, "no token of before is alive"
