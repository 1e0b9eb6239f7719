"""An admin client on the worker's broker."""

from collections.abc import AsyncIterator

import pytest

from authbus_service.cluster import Admin
from authbus_service.embedded import Addresses


@pytest.fixture
def servers(addresses: Addresses) -> str:
    return addresses.bootstrap_servers


@pytest.fixture
async def admin(servers: str) -> AsyncIterator[Admin]:
    async with Admin.connect(servers, {}) as connected:
        yield connected
