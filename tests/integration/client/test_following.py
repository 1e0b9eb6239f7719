"""Following topics that change while they are followed."""

import asyncio
import time
from uuid import uuid4

import pytest

from authbus import AuthUnavailable, topics
from authbus.kafka.connection import Connection
from authbus.kafka.following import Feed, Follower, Record
from tests.integration.client.stand_in import StandIn, created, until
from tests.rig.topics import widen


async def test_a_partition_that_is_added_is_read_from_its_first_record_and_no_other_again(
    service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authbus.kafka.following._LOOK_MS", 100)
    topic = service.name(topics.EVENTS)
    read: list[Record] = []
    asked: list[set[int]] = []

    async def tell(*partitions: int) -> None:
        for partition in partitions:
            await service.tell(topics.EVENTS, "k", created(uuid4(), 1), partition)

    await tell(0, 1)
    connection = Connection(service.servers, "follower")
    feed = Feed(topic, "beginning", read.append, lambda numbers: asked.append(set(numbers)))
    follower = Follower(connection, [feed])
    await follower.start(await connection.places([topic]))
    await widen(service.servers, topic, 4, tell=service.producer)
    await tell(3, 2, 0, 1)
    await until(lambda: len(read) >= 6)
    await follower.stop()

    assert sorted((each.partition, each.offset) for each in read) == [
        *((0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (3, 0))
    ]
    assert asked == [{0, 1}, {0, 1, 2, 3}]


async def test_whoever_gets_on_has_the_time_that_it_takes_to_read_what_was_there(
    service: StandIn,
) -> None:
    read: list[Record] = []

    def slowly(record: Record) -> None:
        time.sleep(0.02)
        read.append(record)

    for number in range(200):
        await service.tell(topics.EVENTS, "k", created(uuid4(), 1), number % 2)
    connection = Connection(service.servers, "follower", patience=1.5)
    topic = service.name(topics.EVENTS)
    follower = Follower(connection, [Feed(topic, "beginning", slowly)])
    places = await connection.places([topic])

    await follower.start(places)
    await follower.stop()

    assert len(read) == 200


async def test_whoever_does_not_get_on_has_its_patience_and_no_more(
    service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object, **__: object) -> dict[object, object]:
        await asyncio.sleep(0.05)
        return {}

    await service.tell(topics.EVENTS, "k", created(uuid4(), 1), 0)
    connection = Connection(service.servers, "follower", patience=1.5)
    topic = service.name(topics.EVENTS)
    follower = Follower(connection, [Feed(topic, "beginning", lambda _: None)])
    places = await connection.places([topic])
    monkeypatch.setattr("aiokafka.AIOKafkaConsumer.getmany", nothing)

    began = time.monotonic()
    with pytest.raises(AuthUnavailable):
        await follower.start(places)

    assert time.monotonic() - began < 4
