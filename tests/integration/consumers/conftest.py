from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio

from authbus_service.core.database import Database, connect
from authbus_service.core.migrations import migrate
from authbus_service.embedded import Addresses
from tests.integration.consumers.racing import Race, racing
from tests.rig.databases import empty_database
from tests.rig.outcomes import Watch, watching
from tests.rig.world import a_world


@pytest.fixture
async def race(database: Database) -> AsyncIterator[Race]:
    """Two writers on one database."""
    async with racing(database) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watch(shared: Addresses) -> AsyncIterator[Watch]:
    """One running service for a whole table of records."""
    name = f"t{uuid4().hex[:8]}"
    database = connect(await empty_database(shared))
    await migrate(database)
    async with (
        a_world(shared.bootstrap_servers, name, database) as made,
        watching(made) as watch,
    ):
        yield watch
    await database.close()
