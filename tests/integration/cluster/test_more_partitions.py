"""Topics that were made with more partitions than are declared: nothing on them is overlooked."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from authbus.topics import CREDENTIALS, EVENTS
from authbus_service.consumers.tail import newest_events
from authbus_service.core.database import Database
from authbus_service.embedded import Addresses
from authbus_service.relay.past import Past
from tests.rig.accident import backup, differences, installed, recovered, said, serving, tables
from tests.rig.crowd import Crowd
from tests.rig.offsets import ends
from tests.rig.world import World, a_world

MORE = 2 * EVENTS.partitions
USERS = 24


@pytest.fixture
async def world(addresses: Addresses, namespace: str, database: Database) -> AsyncIterator[World]:
    servers = addresses.bootstrap_servers
    async with a_world(servers, namespace, database, partitions=MORE) as made:
        yield await installed(made)


async def test_a_lost_database_comes_back_from_all_of_them(world: World) -> None:
    copy = await backup(world.database)
    async with serving(world):
        await Crowd(world).with_sessions(USERS)
    causes = [UUID(each["causation_id"]) for each in await said(world)]
    lost = await tables(world.database, causes)
    asked = {at for suffix, at in await ends(world) if suffix == CREDENTIALS.suffix}
    newest = await newest_events(world.servers, {}, world.namespace)

    report = await recovered(replace(world, database=copy))

    assert max(asked) >= CREDENTIALS.partitions
    assert len(newest) == USERS
    assert report.lost == []
    assert differences(await tables(copy, causes), lost) == []
    await copy.close()


async def test_what_is_hidden_on_any_of_them_is_seen(world: World) -> None:
    client: dict[str, Any] = {"bootstrap_servers": world.servers}
    last = TopicPartition(EVENTS.name(world.namespace), MORE - 1)
    async with AIOKafkaProducer(**client, transactional_id=f"{world.namespace}.relay") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(last.topic, b"?", partition=last.partition)
        hidden = await Past(world.namespace, client, world.database, uuid4()).hidden()
        await producer.abort_transaction()

    assert list(hidden) == [last]
