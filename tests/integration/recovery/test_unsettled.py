"""Relays that outlive their database: what one had begun to say is settled before all else."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from authbus_service.cluster.acls import relay_name
from authbus_service.cluster.installation import settle
from authbus_service.core.ids import new_id
from authbus_service.outbox import repository as outbox
from authbus_service.relay import producer
from authbus_service.relay.batch import outgoing
from authbus_service.relay.errors import OutcomeUnknownError
from authbus_service.relay.loop import Relay
from tests.rig.accident import all_said, backup, recovered, said, serving
from tests.rig.crowd import Crowd, assert_events_count, until
from tests.rig.world import World

pytestmark = pytest.mark.gate


@asynccontextmanager
async def half_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[asyncio.Task[None]]:
    """A relay that has sent all that waits, and ends its transaction with the block."""
    sent, ending = asyncio.Event(), asyncio.Event()
    commit = producer.AIOKafkaProducer.commit_transaction

    async def waits(of: producer.AIOKafkaProducer) -> None:
        sent.set()
        await ending.wait()
        await commit(of)

    monkeypatch.setattr(producer.AIOKafkaProducer, "commit_transaction", waits)
    relay = producer.TransactionalProducer(
        {"bootstrap_servers": world.servers},
        transactional_id=relay_name(world.namespace),
        deadline=9,
    )
    await relay.open()
    async with world.database.reading() as db:
        rows = await outbox.oldest(db, 100)
    records = outgoing(rows, namespace=world.namespace, epoch=new_id(), unfit=set())
    saying = asyncio.create_task(relay.publish(records))
    await asyncio.wait_for(sent.wait(), 5)
    monkeypatch.undo()
    try:
        yield saying
    finally:
        ending.set()
        await asyncio.wait({saying})
        await relay.close()


async def test_what_a_living_relay_has_begun_to_say_is_not_said_beside_what_is_handled_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(world)
    async with serving(world):
        await crowd.asked(crowd.registers([0]))
    copy = await backup(world.database)
    async with world.consuming():
        await crowd.asked(crowd.registers([1]))
    back = replace(world, database=copy)

    async with half_said(world, monkeypatch) as saying:
        report = await recovered(back)
    await all_said(back)

    assert isinstance(saying.exception(), OutcomeUnknownError)
    assert report.handled_anew == 1
    assert_events_count(await said(world))
    await copy.close()


async def test_a_relay_from_before_a_recovery_neither_speaks_nor_keeps_others_from_it(
    world: World,
) -> None:
    crowd = Crowd(world)
    before = await settle(world.database, namespace=world.namespace, cluster_id="here")
    await recovered(world)
    old = Relay(
        world.database,
        bootstrap_servers=world.servers,
        namespace=world.namespace,
        epoch=before,
        holder=new_id(),
    )
    running = asyncio.create_task(old.run())
    try:
        await until(lambda: old.state.restarts.total() > 2)
        async with serving(world):
            await crowd.asked(crowd.registers([0]))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    assert old.state.said == 0
    assert len(await said(world)) == 1
