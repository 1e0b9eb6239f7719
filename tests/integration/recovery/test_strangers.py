"""A stranger's record where the relay remembers what it has said ends a recovery, with its cure."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from sqlalchemy import text

from authbus.topics import RELAY
from authbus_service.cli.errors import explain
from authbus_service.cluster import Admin
from authbus_service.relay.errors import ManifestError
from authbus_service.relay.manifest import KEY
from tests.rig.accident import recovered, relaying, said
from tests.rig.crowd import Crowd
from tests.rig.world import World


async def written_by_a_stranger(world: World) -> int:
    """Write what no relay writes, beside those that do; returns where it lies."""
    async with AIOKafkaProducer(bootstrap_servers=world.servers) as producer:
        sent = await producer.send_and_wait(RELAY.name(world.namespace), b"?", KEY)
    return sent.offset


async def forget(world: World, offset: int) -> None:
    """Do as the runbook has it: let Kafka forget all up to this record."""
    name = RELAY.name(world.namespace)
    client = AIOKafkaAdminClient(bootstrap_servers=world.servers)
    await client.start()
    try:
        async with Admin.connect(world.servers, {}) as admin:
            await admin.set(name, {"cleanup.policy": "compact,delete"})
            at = {TopicPartition(name, 0): RecordsToDelete(before_offset=offset + 1)}
            await client.delete_records(at)
            await admin.set(name, RELAY.config)
    finally:
        await client.close()


async def emptied(world: World) -> None:
    """Wait until nothing waits for the relay."""
    async with asyncio.timeout(20):
        while await world.rows("SELECT 1 FROM outbox"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def run(world: World, statement: str) -> None:
    async with world.database.transaction() as db:
        await db.execute(text(statement))


@pytest.mark.parametrize("is_newest", [True, False])
async def test_a_record_that_no_relay_wrote_is_named_and_once_it_is_forgotten_all_is_said_once(
    world: World, is_newest: bool
) -> None:
    crowd = Crowd(world)
    async with world.consuming():
        await crowd.asked(crowd.registers([0]))
        await run(world, "CREATE TABLE kept AS SELECT * FROM outbox")
        async with relaying(world):
            await emptied(world)
            offset = await written_by_a_stranger(world)
            if not is_newest:
                await crowd.asked(crowd.registers([1]))
        await crowd.asked(crowd.registers([2]))
    # As if the relay had been killed before it deleted what it had said.
    await run(world, "INSERT INTO outbox OVERRIDING SYSTEM VALUE SELECT * FROM kept")

    with pytest.raises(ManifestError) as refused:
        await recovered(world)
    await forget(world, offset)
    await recovered(world)
    async with relaying(world):
        await emptied(world)

    told = explain(refused.value) or ""
    assert told.startswith(f"{RELAY.name(world.namespace)}/0/{offset} is no manifest that ")
    assert "let Kafka forget it, as the runbook has it under AuthbusRelayStartsOver" in told
    assert len(await said(world)) == (2 if is_newest else 3)
