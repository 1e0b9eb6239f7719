from collections.abc import AsyncIterator

import pytest

from authbus_service.core.database import Database
from authbus_service.embedded import Addresses
from tests.rig.world import World, a_world


@pytest.fixture
async def world(addresses: Addresses, namespace: str, database: Database) -> AsyncIterator[World]:
    servers = addresses.bootstrap_servers
    async with a_world(servers, namespace, database, partitions=6) as made:
        yield made
