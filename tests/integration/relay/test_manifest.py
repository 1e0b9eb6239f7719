"""The newest committed manifest is found, whatever lies behind it."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from authbus import topics
from authbus_service.outbox.repository import Said
from authbus_service.relay.errors import ManifestError
from authbus_service.relay.manifest import KEY, Manifest, last_manifest, manifest
from authbus_service.relay.open_transactions import until_over
from tests.integration.relay.world import World

EPOCH = uuid4()
TORN = json.dumps({"epoch": str(EPOCH), "positions": [1, 2], "ids": [str(EPOCH)]}).encode()


@asynccontextmanager
async def producing(world: World, name: str = "relay") -> AsyncGenerator[AIOKafkaProducer]:
    async with AIOKafkaProducer(
        bootstrap_servers=world.servers,
        transactional_id=f"{world.namespace}.{name}",
        retry_backoff_ms=20,
    ) as producer:
        yield producer


async def say(
    producer: AIOKafkaProducer, world: World, value: bytes, *, key: bytes = KEY, keep: bool = True
) -> None:
    await producer.begin_transaction()
    sent = await producer.send_and_wait(topics.RELAY.name(world.namespace), value, key)
    await end(producer, sent, keep=keep)


async def end(producer: AIOKafkaProducer, sent: RecordMetadata, *, keep: bool) -> None:
    """Until the marker is there: Kafka has a transaction ended before it writes that."""
    await (producer.commit_transaction() if keep else producer.abort_transaction())
    await until_over(producer, {sent.topic_partition: sent.offset}, 10)


async def found(world: World) -> Manifest | None:
    client = {"bootstrap_servers": world.servers}
    return await last_manifest(topics.RELAY.name(world.namespace), client)


def a_manifest(position: int) -> bytes:
    return manifest(EPOCH, [Said(position, uuid4())])


async def test_there_is_none_on_an_empty_topic(world: World) -> None:
    assert await found(world) is None


async def test_it_names_the_rows_and_their_epoch(world: World) -> None:
    rows = [Said(7, uuid4()), Said(9, uuid4())]

    async with producing(world) as producer:
        await say(producer, world, a_manifest(1))
        await say(producer, world, manifest(EPOCH, rows))

    memory = await found(world)
    assert memory is not None
    assert (memory.epoch, memory.said()) == (EPOCH, rows)


async def test_aborted_ones_behind_it_do_not_count(world: World) -> None:
    async with producing(world) as producer:
        await say(producer, world, a_manifest(1), keep=False)
        only_aborted = await found(world)
        await say(producer, world, a_manifest(2))
        for _ in range(12):
            await say(producer, world, a_manifest(3), keep=False)

    memory = await found(world)
    assert only_aborted is None
    assert memory is not None
    assert memory.positions == (2,)


async def test_a_record_with_another_key_is_no_manifest(world: World) -> None:
    async with producing(world) as producer:
        await say(producer, world, a_manifest(1))
        await say(producer, world, b"?", key=b"other")

    memory = await found(world)
    assert memory is not None
    assert memory.positions == (1,)


@pytest.mark.parametrize(
    "value", [b"", b"{}", b"\xff", b'{"epoch":"x"}', manifest(EPOCH, [Said(1, EPOCH)])[:-2], TORN]
)
async def test_one_that_cannot_be_read_or_is_torn_is_not_taken_for_none(
    world: World, value: bytes
) -> None:
    async with producing(world) as producer:
        await say(producer, world, a_manifest(1))
        await say(producer, world, value)

    with pytest.raises(ManifestError, match=f"^{topics.RELAY.name(world.namespace)}/0/2 is no"):
        await found(world)


async def test_a_strangers_open_transaction_hides_nothing(world: World) -> None:
    async with producing(world) as producer, producing(world, "stranger") as stranger:
        await say(producer, world, a_manifest(1))
        await stranger.begin_transaction()
        sent = await stranger.send_and_wait(topics.RELAY.name(world.namespace), b"?", b"other")
        await say(producer, world, a_manifest(2))

        with pytest.raises(ManifestError):
            await found(world)
        await end(stranger, sent, keep=False)

    memory = await found(world)
    assert memory is not None
    assert memory.positions == (2,)
