from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from authbus_service.core.database import Database
from authbus_service.embedded import EmbeddedStack
from authbus_service.startup.database import open_database
from tests.rig.pooling import Pooler, a_pooler


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def pooler(stack: EmbeddedStack) -> AsyncIterator[Pooler]:
    async with a_pooler(stack.addresses.database_url) as started:
        yield started


@pytest.fixture
async def lent(pooler: Pooler, database_url: str) -> AsyncIterator[Database]:
    """The test's own database by way of the pooler."""
    opened = open_database(pooler.url(database_url))
    yield opened
    await opened.close()
