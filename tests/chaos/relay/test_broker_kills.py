"""A broker that is killed again and again costs no event and doubles none."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from authbus_service.core.database import Database
from authbus_service.embedded import EmbeddedStack
from tests.chaos.relay.verdict import Verdict, verdict
from tests.chaos.relay.writers import writing
from tests.integration.relay.conftest import made_world
from tests.integration.relay.world import World, running


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedStack]:
    async with EmbeddedStack(postgres=False) as stack:
        yield stack


@pytest.fixture
async def world(broker: EmbeddedStack, database: Database, namespace: str) -> World:
    """On a broker that may be killed."""
    return await made_world(broker.addresses, database, namespace)


@pytest.mark.timeout(1800)
@pytest.mark.nightly
@pytest.mark.parametrize("kills", [60])
async def test_kills_of_the_broker_lose_nothing_and_repeat_nothing(
    world: World, broker: EmbeddedStack, kills: int
) -> None:
    async with running(world.relay(lease_seconds=2.0)), writing(world) as written:
        for _ in range(kills):
            await asyncio.sleep(random.uniform(0.3, 1.5))
            await broker.kill_kafka()
            await broker.restart_kafka()
            await asyncio.sleep(random.uniform(0.3, 3.0))
        await asyncio.sleep(1)
    async with running(world.relay(lease_seconds=2.0)):
        await world.until_said(60)

    assert await verdict(world, written.committed) == Verdict()
    assert len(written.committed) > kills
