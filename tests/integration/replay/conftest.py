from collections.abc import AsyncIterator

import pytest

from authbus_service.cluster import Admin
from authbus_service.core.database import Database
from authbus_service.embedded import Addresses
from tests.rig.accident import installed
from tests.rig.world import World, a_world


@pytest.fixture
async def world(addresses: Addresses, namespace: str, database: Database) -> AsyncIterator[World]:
    async with a_world(addresses.bootstrap_servers, namespace, database) as made:
        yield await installed(made)


@pytest.fixture
async def admin(world: World) -> AsyncIterator[Admin]:
    async with Admin.connect(world.servers, {}) as admin:
        yield admin
