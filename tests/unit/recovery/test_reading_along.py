"""Events and commands read side by side: in the order of time, and no more of them than needed."""

import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from aiokafka import TopicPartition

from authbus import ProfileUpdated
from authbus.profile import ProfileField
from authbus.sealing import LARGEST_SEAL
from authbus.topics import EVENTS, SESSIONS, Topic
from authbus_service.auth.request import Derived
from authbus_service.consumers.opening import Opener
from authbus_service.consumers.telling import Told, records
from authbus_service.core.ids import derived_id, new_id
from authbus_service.core.security.masters import Masters
from authbus_service.recovery import ordering
from authbus_service.recovery.commands import Commands
from authbus_service.recovery.ordering import in_time
from authbus_service.recovery.reading import Reader, Record
from authbus_service.recovery.unsealing import Unsealer

MASTERS = Masters([os.urandom(32)])
BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=10)
OPENER = cast("Opener", None)
UNSEALER = cast("Unsealer", None)
NOWHERE = cast("Any", None)


def second(number: float) -> datetime:
    return BEGIN + timedelta(seconds=number)


class Script(Reader):
    """Gives out what it was made of, so many records of a place at a time."""

    def __init__(self, topic: Topic, of: dict[int, list[Record]], at_once: int = 1) -> None:
        self.topic, self.at_once = topic, at_once
        self.script = {TopicPartition(topic.suffix, each): list(rows) for each, rows in of.items()}
        self.left = set(self.script)
        self.given = 0

    async def some(self, places: Iterable[TopicPartition]) -> list[tuple[Topic, Record]]:
        found: list[tuple[Topic, Record]] = []
        for place in places:
            rows = self.script[place]
            found += [(self.topic, each) for each in rows[: self.at_once]]
            del rows[: self.at_once]
        self.left = {place for place, rows in self.script.items() if rows}
        self.given += len(found)
        return found


def events(partition: int, cause: UUID, at: datetime, count: int) -> list[Record]:
    by = Derived(MASTERS, MASTERS.current, cause, b"content")
    user, fields = new_id(), (ProfileField.DISPLAY_NAME,)
    told = [
        ProfileUpdated(
            user_id=user,
            sequence=number + 1,
            actor="service",
            causation_id=cause,
            profile_version=1,
            fields=fields,
        )
        for number in range(count)
    ]
    rows = records(by, [Told(each, None) for each in told], at)
    return [_record(EVENTS, partition, each.payload or b"", each.headers, at) for each in rows]


def command(partition: int, id_: UUID, at: datetime) -> Record:
    expiry = (at + timedelta(seconds=30)).isoformat().encode()
    headers = [("ce_id", str(id_).encode()), ("ce_expirytime", expiry)]
    return _record(SESSIONS, partition, b"sealed", headers, at)


def _record(topic: Topic, partition: int, value: bytes, headers: Any, at: datetime) -> Record:
    found = {"topic": topic.suffix, "partition": partition, "offset": 0, "key": b"k"}
    found |= {"value": value, "headers": headers, "timestamp": int(at.timestamp() * 1000)}
    return cast("Record", SimpleNamespace(**found))


def named(at: datetime) -> UUID:
    """A command's id of this time."""
    millisecond = int(at.timestamp() * 1000)
    return derived_id(UUID(int=millisecond << 80), os.urandom(32))


async def test_what_one_command_caused_is_together_though_others_wrote_in_between() -> None:
    one, other, next_, later = (named(second(each)) for each in (0, 1, 2, 60))
    first, last = events(0, one, second(5), 2)
    between = events(0, other, second(6), 1)
    behind = [*events(0, next_, second(10.5), 1), *events(0, later, second(60), 1)]
    reader = Script(EVENTS, {0: [first, *between, last, *behind]})

    found = [each async for batch in in_time(reader) for each in batch]

    causes = [[told.cause for told in each] for each in found]
    assert causes == [[one, one], [other], [next_], [later]]


async def test_events_of_all_partitions_come_in_the_order_of_time_within_seconds() -> None:
    times = {0: range(0, 400, 2), 1: range(200, 300), 2: range(0, 400, 100)}
    reader = Script(
        EVENTS,
        {
            partition: [events(partition, named(second(at)), second(at), 1)[0] for at in of]
            for partition, of in times.items()
        },
    )

    found = [each[0].at async for batch in in_time(reader) for each in batch]

    assert len(found) == sum(map(len, times.values()))
    newest = BEGIN
    for at in found:
        newest = max(newest, at)
        assert newest - at <= timedelta(seconds=100)


async def test_no_batch_begins_after_what_a_later_one_still_brings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ordering, "AT_ONCE", 20)
    rows = {
        partition: [
            events(partition, named(second(at)), second(at), 1)[0]
            for at in range(partition, 1200, 10)
        ]
        for partition in range(3)
    }
    batches = [batch async for batch in in_time(Script(EVENTS, rows, at_once=50))]

    begins = [min(each[0].at for each in batch) for batch in batches]
    assert len(batches) >= 18
    assert begins == sorted(begins)


async def test_commands_are_read_as_far_as_events_ask_and_held_until_they_have_expired() -> None:
    ids = [named(second(each)) for each in range(3600)]
    reader = Script(SESSIONS, {0: [command(0, id_, second(at)) for at, id_ in enumerate(ids)]})
    commands = Commands(OPENER, UNSEALER, MASTERS, reader, None, NOWHERE)
    held: list[int] = []

    for at in range(0, 3600, 10):
        await commands.find([ids[at]])
        assert ids[at] in commands.by_id
        assert reader.given <= at + 2
        commands.forget(second(at))
        held.append(len(commands.by_id))

    assert max(held) <= 60


async def test_a_copy_that_claims_to_have_expired_has_nothing_let_go_of_but_itself() -> None:
    true = command(0, named(second(0)), second(0))
    expired = ("ce_expirytime", b"1970-01-01T00:00:00+00:00")
    copy = _record(SESSIONS, 0, b"forged", [true.headers[0], expired], second(1))
    reader = Script(SESSIONS, {0: [true, copy, command(0, named(second(2)), second(2))]})
    commands, claimed = (
        Commands(OPENER, UNSEALER, MASTERS, reader, None, NOWHERE),
        UUID(dict(true.headers)["ce_id"].decode()),
    )
    await commands.find([named(second(1000))])

    commands.forget(second(20))
    assert claimed in commands.by_id
    commands.forget(second(60))
    assert not commands.by_id


async def test_of_what_nobody_can_have_handled_nothing_is_held_and_of_another_only_its_labels() -> (
    None
):
    ids = [named(second(each)) for each in range(4)]
    good, large, twice, last = [command(0, id_, second(at)) for at, id_ in enumerate(ids)]
    good.headers = [*good.headers, ("x", bytes(1024))]
    large.value = bytes(LARGEST_SEAL + 1)
    twice.headers = [*twice.headers, twice.headers[0]]
    commands = Commands(
        OPENER, UNSEALER, MASTERS, Script(SESSIONS, {0: [good, large, twice, last]}), None, NOWHERE
    )

    await commands.find([ids[3]])

    assert commands.by_id.keys() == {ids[0], ids[3]}
    (held,) = commands.by_id[ids[0]]
    assert [name for name, _ in held.headers] == ["ce_id", "ce_expirytime"]


@pytest.mark.parametrize("issued", [second(3600), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)])
async def test_what_came_before_its_time_was_refused_and_is_not_held_for_as_long(
    issued: datetime,
) -> None:
    ahead = command(0, named(issued), second(0))
    ahead.headers = ahead.headers[:1]
    true = command(0, named(second(1)), second(1))
    reader = Script(SESSIONS, {0: [ahead, true]})
    commands = Commands(OPENER, UNSEALER, MASTERS, reader, None, NOWHERE)

    await commands.find([named(second(0)), named(second(1))])

    assert [*commands.by_id] == [UUID(dict(true.headers)["ce_id"].decode())]


async def test_a_command_that_is_not_there_is_looked_for_ten_minutes_ahead_and_no_further() -> None:
    ids = [named(second(each)) for each in range(3600)]
    reader = Script(SESSIONS, {0: [command(0, id_, second(at)) for at, id_ in enumerate(ids)]})
    commands = Commands(OPENER, UNSEALER, MASTERS, reader, None, NOWHERE)

    await commands.find([named(second(100))])

    assert 700 <= reader.given <= 702


class OneByOne(Script):
    """Another partition's records come when one is read to its end, as brokers may have it."""

    async def some(self, places: Iterable[TopicPartition]) -> list[tuple[Topic, Record]]:
        return await super().some([min(places)])


async def test_a_command_is_found_behind_what_other_partitions_have_of_much_later() -> None:
    at, much_later = second(0), second(0) + timedelta(days=2)
    id_ = named(at)
    rows = {
        0: [command(0, named(much_later), much_later) for _ in range(2)],
        1: [command(1, id_, at), command(1, named(much_later), much_later)],
    }

    @asynccontextmanager
    async def from_time(_: datetime) -> AsyncGenerator[Reader]:
        yield OneByOne(SESSIONS, rows)

    commands = Commands(
        OPENER, UNSEALER, MASTERS, Script(SESSIONS, {}), at + timedelta(days=1), from_time
    )

    assert await commands.look_back(id_)

    assert [came.partition for came in commands.by_id[id_]] == [1]
