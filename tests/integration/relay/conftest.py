"""A place of its own for each test of the relay."""

from collections.abc import Iterator

import pytest
import structlog

from authbus_service.cluster import Admin
from authbus_service.cluster.installation import settle
from authbus_service.core.database import Database
from authbus_service.embedded import Addresses
from tests.integration.relay.world import World
from tests.rig.topics import made


async def made_world(addresses: Addresses, database: Database, namespace: str) -> World:
    """The topics of this namespace, and the database that belongs to it."""
    await made(addresses.bootstrap_servers, namespace, [])
    async with Admin.connect(addresses.bootstrap_servers, {}) as admin:
        cluster_id, _ = await admin.describe()
    epoch = await settle(database, namespace=namespace, cluster_id=cluster_id)
    return World(database, addresses.bootstrap_servers, namespace, epoch)


@pytest.fixture
async def world(addresses: Addresses, database: Database, namespace: str) -> World:
    """A namespace with its topics, and the database that belongs to it."""
    return await made_world(addresses, database, namespace)


@pytest.fixture(autouse=True)
def short_log() -> Iterator[None]:
    """Tracebacks with all their locals would cost seconds."""
    structlog.configure(processors=[structlog.processors.LogfmtRenderer(sort_keys=True)])
    yield
    structlog.reset_defaults()
