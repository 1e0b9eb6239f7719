"""Following topics that change while they are followed."""

from uuid import uuid4

import pytest

from authbus import topics
from authbus.connection import Connection
from authbus.following import Feed, Follower, Record
from tests.integration.client.stand_in import StandIn, created, until
from tests.rig.topics import widen


async def test_a_partition_that_is_added_is_read_from_its_first_record_and_no_other_again(
    service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authbus.following._LOOK_MS", 100)
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
