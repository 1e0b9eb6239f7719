"""`authbus serve` as a process of its own, in a namespace and a database of its own."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from authbus_service.core.database import Database
from authbus_service.embedded import Addresses
from tests.rig import processes
from tests.rig.serving import settings_of


@dataclass(frozen=True)
class Serving:
    """Where the service is and what its clients pin."""

    servers: str
    namespace: str
    trust: str
    database: Database
    settings: Mapping[str, str]
    http: str
    pid: int


@pytest.fixture
def settings(
    addresses: Addresses, namespace: str, database_url: str, tmp_path: Path
) -> Mapping[str, str]:
    """Those of a service in a namespace and a database of its own."""
    return settings_of(addresses, namespace, database_url, tmp_path)


@pytest.fixture
async def serving(
    settings: Mapping[str, str], database: Database, tmp_path: Path
) -> AsyncIterator[Serving]:
    async with processes.serving(settings, tmp_path / "service.log") as process:
        told = process.told
        servers, trust = str(told["kafka"]), str(told["trust"])
        namespace, http = settings["AUTHBUS_NAMESPACE"], str(told["http"])
        yield Serving(servers, namespace, trust, database, settings, http, process.child.pid)
