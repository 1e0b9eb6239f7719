"""How old the feed of ended sessions is."""

from datetime import UTC, datetime, timedelta

from authbus.ended_sessions import EndedSessions
from authbus.state import FeedAlive
from tests.unit.authbus.records import a_record

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = NOW + timedelta(seconds=6)


def beat(ended: EndedSessions, at: datetime, *partitions: int) -> None:
    value = FeedAlive(published_through=at).model_dump_json().encode()
    for partition in partitions:
        ended.read(a_record(value, key=b"alive", partition=partition))


def test_a_partition_that_came_later_is_as_old_as_the_rest_and_ages_until_it_speaks() -> None:
    ended = EndedSessions()
    ended.expect(range(2))
    beat(ended, NOW, 0, 1)

    ended.expect(range(3))
    assert ended.age(NOW) == timedelta()

    beat(ended, LATER, 0, 1)
    assert ended.age(LATER) == LATER - NOW

    beat(ended, LATER, 2)
    assert ended.age(LATER) == timedelta()
