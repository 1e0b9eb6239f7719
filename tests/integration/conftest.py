from collections.abc import AsyncIterator

import pytest

from authbus_service.core.database import Database
from authbus_service.embedded import Addresses
from tests.rig.world import World, a_world


@pytest.fixture
async def world(addresses: Addresses, namespace: str, database: Database) -> AsyncIterator[World]:
    """Topics and tables of this test's own, and a producer; no consumers yet."""
    async with a_world(addresses.bootstrap_servers, namespace, database) as made:
        yield made
