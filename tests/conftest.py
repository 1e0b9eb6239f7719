"""What every tier shares: the repository, and one Kafka and one PostgreSQL."""

import signal
from collections.abc import AsyncIterator
from dataclasses import astuple
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
import structlog
from hypothesis import HealthCheck, settings

from authbus_service.core import garbage
from authbus_service.core.database import Database, connect
from authbus_service.embedded import Addresses, EmbeddedStack
from tests.rig.databases import (
    copied_database,
    drop_database,
    empty_database,
    migrated_database,
)
from tests.rig.servers import FOR_ALL, Shared
from tests.rig.topics import forget

_SHARED = pytest.StashKey[Shared]()

# How fast examples are made tells of the machine's load, not of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_sessionstart() -> None:
    """Let nobody look through what thousands of tests import for garbage again and again.

    And hear an interrupt also in a shell's background job, which ignores it with all it starts.
    And let a log that nobody has set up show errors plainly: to draw one with all its variables
    takes a service in a test's own process as long as leases and sessions last.
    """
    garbage.leave_alone()
    structlog.get_config()["processors"][-1].exception_formatter = structlog.dev.plain_traceback
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """The same for the tests themselves."""
    garbage.leave_alone()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder with pyproject.toml in it."""
    return Path(__file__).resolve().parents[1]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the servers are that all of them share."""
    config = node.config
    if _SHARED not in config.stash:
        config.stash[_SHARED] = Shared().start()
        config.add_cleanup(config.stash[_SHARED].stop)
    node.workerinput["servers"] = astuple(config.stash[_SHARED].addresses)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared(request: pytest.FixtureRequest) -> AsyncIterator[Addresses]:
    """Where the servers listen that nobody breaks."""
    given = getattr(request.config, "workerinput", {}).get("servers")
    if given is not None:
        yield Addresses(*given)
    else:
        async with EmbeddedStack(broker_config=FOR_ALL) as started:
            yield started.addresses


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack() -> AsyncIterator[EmbeddedStack]:
    """Servers of this worker's own, for tests that kill them."""
    async with EmbeddedStack() as started:
        yield started


@pytest.fixture
def addresses(request: pytest.FixtureRequest) -> Addresses:
    """Where the test's servers listen: those that it may kill, if it asks for them."""
    if "stack" in request.fixturenames:
        mine: EmbeddedStack = request.getfixturevalue("stack")
        return mine.addresses
    return request.getfixturevalue("shared")


@pytest.fixture
async def namespace(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A namespace of this test's own, whose topics go with it."""
    name = f"t{uuid4().hex[:8]}"
    yield name
    if "addresses" in request.fixturenames:
        addresses: Addresses = request.getfixturevalue("addresses")
        await forget(addresses.bootstrap_servers, name)


@pytest.fixture(scope="session")
def templates() -> dict[str, str]:
    """On each server a database with all tables, of which copies are made."""
    return {}


@pytest.fixture
async def database_url(
    request: pytest.FixtureRequest, addresses: Addresses, templates: dict[str, str]
) -> AsyncIterator[str]:
    """A database of this test's own: with tables where it asks for `database`, else empty."""
    if "database" in request.fixturenames:
        server = addresses.database_url
        if server not in templates:
            templates[server] = await migrated_database(addresses)
        url = await copied_database(addresses, templates[server])
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
