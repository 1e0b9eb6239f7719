"""What every tier shares: the repository, one Kafka and one PostgreSQL for each worker."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from authbus_service.core.database import Database, connect
from authbus_service.core.migrations import migrate
from authbus_service.embedded import Addresses, EmbeddedStack
from tests.rig.databases import empty_database
from tests.rig.topics import forget

# How fast examples are made tells of the machine's load, not of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder with pyproject.toml in it."""
    return Path(__file__).resolve().parents[1]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack() -> AsyncIterator[EmbeddedStack]:
    """Servers that live as long as the worker."""
    async with EmbeddedStack() as started:
        yield started


@pytest.fixture
def addresses(stack: EmbeddedStack) -> Addresses:
    """Where they listen."""
    return stack.addresses


@pytest.fixture
async def namespace(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A namespace of this test's own, whose topics go with it."""
    name = f"t{uuid4().hex[:8]}"
    yield name
    if "stack" in request.fixturenames:
        stack: EmbeddedStack = request.getfixturevalue("stack")
        await forget(stack.addresses.bootstrap_servers, name)


@pytest.fixture
async def database_url(addresses: Addresses) -> str:
    """An empty database of this test's own."""
    return await empty_database(addresses)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database of this test's own."""
    database = connect(database_url)
    await migrate(database)
    yield database
    await database.close()
