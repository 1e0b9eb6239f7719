"""One Kafka and one PostgreSQL for the folder; a namespace and a database for each test."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from authbus_service.cluster import Admin
from authbus_service.core.database import Database, connect
from authbus_service.core.migrations import migrate
from authbus_service.embedded import Addresses, EmbeddedStack


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def addresses() -> AsyncIterator[Addresses]:
    """Servers that live as long as the tests."""
    async with EmbeddedStack() as stack:
        yield stack.addresses


@pytest.fixture
def servers(addresses: Addresses) -> str:
    return addresses.bootstrap_servers


@pytest.fixture
async def admin(servers: str) -> AsyncIterator[Admin]:
    async with Admin.connect(servers, {}) as connected:
        yield connected


@pytest.fixture
def namespace() -> str:
    return f"t{uuid4().hex[:8]}"


@pytest.fixture
async def database_url(addresses: Addresses) -> str:
    """An empty database."""
    name = f"t{uuid4().hex[:8]}"
    db = await asyncpg.connect(addresses.database_url.replace("+asyncpg", ""))
    try:
        await db.execute(f"CREATE DATABASE {name}")
    finally:
        await db.close()
    return addresses.database_url.rpartition("/")[0] + f"/{name}"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database."""
    database = connect(database_url)
    await migrate(database)
    yield database
    await database.close()
