"""What every tier shares: the repository, one Kafka and one PostgreSQL for each worker."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from authbus_service.core.database import Database, connect
from authbus_service.embedded import Addresses, EmbeddedStack
from tests.rig.databases import (
    copied_database,
    drop_database,
    empty_database,
    migrated_database,
)
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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(stack: EmbeddedStack) -> str:
    """A database with all tables, of which copies are made."""
    return await migrated_database(stack.addresses)


@pytest.fixture
async def database_url(
    request: pytest.FixtureRequest, addresses: Addresses, template: str
) -> AsyncIterator[str]:
    """A database of this test's own: with tables where it asks for `database`, else empty."""
    if "database" in request.fixturenames:
        url = await copied_database(addresses, template)
    else:
        url = await empty_database(addresses)
    yield url
    await drop_database(addresses, url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database of this test's own."""
    database = connect(database_url)
    yield database
    await database.close()
