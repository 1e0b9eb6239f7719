"""What is watched is remembered for as long as there is room, and judged by its own command."""

import pytest

from authbus.topics import CREDENTIALS, EVENTS, Topic
from authbus_service.reading.records import Record, Where
from authbus_service.watching import lately
from authbus_service.watching.following import Follower
from tests.rig.memory import growth_below

OURS, THEIRS = b"/clients/web", b"/clients/shop"


def a_record(topic: Topic, at: int, **headers: bytes) -> Record:
    named = list(headers.items())
    return Record(topic.name(), 0, at, at, 1, None, b"{}", None, 0, 2, named)


def a_command(id_: bytes, at: int, source: bytes = OURS) -> Record:
    return a_record(CREDENTIALS, at, ce_id=id_, ce_type=b"authbus.LogIn.v1", ce_source=source)


def an_event(of: bytes, at: int) -> Record:
    about = {"ce_type": b"authbus.SessionStarted.v1", "ce_source": b"/authbus"}
    return a_record(EVENTS, at, ce_id=b"e", ce_causationid=of, **about)


def is_shown(follower: Follower, record: Record) -> bool:
    return bool(list(follower.shown([record])))


def test_what_comes_of_others_commands_is_not_shown_nor_what_nobody_saw_the_command_of() -> None:
    follower = Follower("auth", Where.read(["client=web"]))

    shown = [is_shown(follower, each) for each in (a_command(b"1", 0), a_command(b"2", 1, THEIRS))]

    assert shown == [True, False]
    assert [is_shown(follower, an_event(of, 2)) for of in (b"1", b"2", b"3")] == [
        True,
        False,
        False,
    ]


def test_a_copy_in_another_name_takes_nothing_away_and_the_first_one_tells_the_time() -> None:
    follower = Follower("auth", Where.read(["client=web"]))
    list(follower.shown([a_command(b"1", 0), a_command(b"1", 500, THEIRS)]))

    (told,) = follower.shown([an_event(b"1", 700)])

    assert told.after_ms == {"told": 700.0}


def test_of_records_that_come_together_an_earlier_clock_hides_nothing() -> None:
    follower = Follower("auth", Where.read(["client=web"]))

    shown = follower.shown([an_event(b"1", 40), a_command(b"1", 50)])

    assert [(each.kind, each.after_ms) for each in shown] == [
        ("event", {"told": -10.0}),
        ("command", {}),
    ]


def test_events_may_be_asked_for_by_what_they_are() -> None:
    follower = Follower("auth", Where.read(["type=SessionStarted"]))

    assert not is_shown(follower, a_command(b"1", 0))
    assert is_shown(follower, an_event(b"1", 1))


def test_the_newest_commands_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "_MOST", 2)
    follower = Follower("auth", Where.read(["client=web"]))
    for id_ in (b"1", b"2", b"1", b"3"):
        assert is_shown(follower, a_command(id_, 0))

    assert [is_shown(follower, an_event(of, 1)) for of in (b"1", b"2", b"3")] == [True, False, True]


def test_ids_that_no_command_can_have_take_no_memory() -> None:
    follower = Follower("auth")

    with growth_below(100 * 1024 * 1024):
        for number in range(200):
            assert is_shown(follower, a_command(b"%d" % number * 1024 * 1024, 0))
