"""Relays that outlive their database: what one had begun to say is settled before all else."""

import asyncio
import base64
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr

from authbus_service.cli.errors import explain
from authbus_service.cluster.acls import relay_name
from authbus_service.cluster.installation import settle
from authbus_service.core.config import Settings
from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.embedded import Addresses
from authbus_service.main import Service
from authbus_service.outbox import repository as outbox
from authbus_service.relay import producer
from authbus_service.relay.batch import outgoing
from authbus_service.relay.errors import (
    EpochOverError,
    HangingError,
    LeaseLostError,
    OutcomeUnknownError,
    RelayError,
)
from authbus_service.relay.loop import Relay
from authbus_service.relay.past import Past
from authbus_service.startup.recovery import recovery
from authbus_service.startup.servers import Servers
from tests.rig.accident import all_said, backup, recovered, said, serving
from tests.rig.crowd import Crowd, assert_events_count
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


async def test_a_relay_from_before_a_recovery_ends_without_a_word_and_leaves_it_to_others(
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
    async with world.consuming():
        await crowd.asked(crowd.registers([0]))

    with pytest.raises(EpochOverError):
        await asyncio.wait_for(old.run(), 5)

    assert await said(world) == []
    await all_said(world)
    assert len(await said(world)) == 1


async def test_a_service_that_idles_through_a_recovery_ends_with_a_cure(
    addresses: Addresses, namespace: str, database: Database, database_url: str
) -> None:
    await database.close()
    settings = Settings(
        kafka_bootstrap_servers=addresses.bootstrap_servers,
        database_url=SecretStr(database_url),
        namespace=namespace,
        topics="apply",
        master_key=SecretStr(base64.b64encode(os.urandom(32)).decode()),
        argon2_memory_kib=8,
        argon2_time=1,
        http_port=None,
    )
    place = Servers(settings, own_kafka=True, own_database=False, stack=None)
    async with Service(place) as service:
        async with recovery(place, lambda _step, _done, _total: None) as begun:
            await begun.run(dry_run=False)

        with pytest.raises(EpochOverError) as ended:
            await asyncio.wait_for(service.failed(), 10)

    assert "Start it again" in (explain(ended.value) or "")


@pytest.mark.parametrize(
    ("part", "step", "error"),
    [
        (
            Past,
            "settle",
            HangingError("a transaction of ours does not end on ['auth.events.v1-3']"),
        ),
        (Past, "settle", OutcomeUnknownError("ProducerFenced: there is a newer producer")),
        (Past, "settle", LeaseLostError("what hangs is not ours to end")),
        (Past, "settle", TimeoutError()),
        (producer.TransactionalProducer, "open", TimeoutError()),
    ],
)
async def test_what_cannot_be_settled_ends_a_recovery_with_a_line_and_the_next_one_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, part: type, step: str, error: Exception
) -> None:
    async def fails(_part: object, *_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(part, step, fails)
        with pytest.raises(RelayError) as ended:
            await recovered(world)
    await recovered(world)

    told = explain(ended.value) or ""
    assert (str(error) or "did not say so in time") in told
    assert "Stop every service of this namespace" in told
    assert "run authbus recover again" in told
