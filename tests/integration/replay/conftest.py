from collections.abc import AsyncIterator

import pytest

from authbus_service.cluster import Admin
from tests.rig.accident import installed
from tests.rig.world import World


@pytest.fixture
async def world(world: World) -> World:
    """With the installation that its database belongs to."""
    return await installed(world)


@pytest.fixture
async def admin(world: World) -> AsyncIterator[Admin]:
    async with Admin.connect(world.servers, {}) as admin:
        yield admin
