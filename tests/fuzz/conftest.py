"""A service on the servers of all tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from authbus_service.core.database import Database
from authbus_service.embedded import Addresses
from tests.fuzz.ear import CLIENTS
from tests.fuzz.stage import Stage, staged
from tests.rig.serving import settings_of


@pytest.fixture
async def stage(
    addresses: Addresses, namespace: str, database_url: str, database: Database, tmp_path: Path
) -> AsyncIterator[Stage]:
    settings = settings_of(addresses, namespace, database_url, tmp_path, CLIENTS)
    async with staged(settings, tmp_path, 1) as made:
        yield made
