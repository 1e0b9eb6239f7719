"""Events that Kafka has lost end a recovery with a line; one that stands twice has one effect."""

from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from authbus.topics import EVENTS
from authbus_service.cli.errors import explain
from tests.rig.accident import backup, recovered, serving, tables
from tests.rig.crowd import Crowd
from tests.rig.topics import records
from tests.rig.world import World


async def forget_first(world: World) -> None:
    """As if Kafka had lost the first event of all."""
    client = AIOKafkaAdminClient(bootstrap_servers=world.servers)
    await client.start()
    try:
        async for record in records(world.servers, EVENTS, world.namespace):
            place = TopicPartition(record.topic, record.partition)
            before = RecordsToDelete(before_offset=record.offset + 1)
            await client.delete_records({place: before})
            return
    finally:
        await client.close()


async def test_events_that_kafka_has_lost_are_named_with_a_cure(world: World) -> None:
    copy = await backup(world.database)
    async with serving(world):
        (session,) = await Crowd(world).with_sessions(1)
    await forget_first(world)

    with pytest.raises(Exception, match="does not follow") as ended:
        await recovered(replace(world, database=copy))

    await copy.close()
    told = explain(ended.value) or ""
    assert told.startswith(f"event 2 of user {session.user_id} does not follow 0: ")
    assert "Restore a newer backup" in told


async def test_an_event_that_stands_twice_on_its_topic_has_its_effect_once(world: World) -> None:
    copy = await backup(world.database)
    async with serving(world):
        await Crowd(world).with_sessions(2)
    expected = await tables(world.database, [])
    there = [each async for each in records(world.servers, EVENTS, world.namespace)]
    async with AIOKafkaProducer(bootstrap_servers=world.servers) as producer:
        for each in there:
            await producer.send_and_wait(
                each.topic, each.value, each.key, each.partition, headers=[*each.headers]
            )

    report = await recovered(replace(world, database=copy))

    assert await tables(copy, []) == expected
    assert report.lost == []
    await copy.close()
