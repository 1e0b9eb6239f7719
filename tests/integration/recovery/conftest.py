import pytest

from tests.rig.accident import installed
from tests.rig.world import World


@pytest.fixture
async def world(world: World) -> World:
    """With the installation that its database belongs to."""
    return await installed(world)
