"""A server that goes away in the middle of a start."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest

from authbus_service import main
from authbus_service.cluster import ClusterError
from authbus_service.core.config import load
from authbus_service.core.database import Database
from authbus_service.embedded import Addresses
from authbus_service.main import Service
from authbus_service.startup.errors import StartupError
from authbus_service.startup.servers import Servers
from tests.chaos.proxy import Door, Proxy
from tests.rig.serving import settings_of


@pytest.fixture
async def proxy(addresses: Addresses) -> AsyncGenerator[Proxy]:
    async with Proxy(Door(int(addresses.bootstrap_servers.rpartition(":")[2]))) as proxy:
        yield proxy


@pytest.fixture
def service(
    addresses: Addresses,
    namespace: str,
    database: Database,
    database_url: str,
    proxy: Proxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Service:
    """One that comes to Kafka through the proxy, with its tables there."""
    assert database
    settings = settings_of(addresses, namespace, database_url, tmp_path)
    settings["KAFKA_BOOTSTRAP_SERVERS"] = f"127.0.0.1:{proxy.doors[0].port}"
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return Service(Servers(load(), own_kafka=False, own_database=False, stack=None))


def once_done(monkeypatch: pytest.MonkeyPatch, step: str, then: Callable[[], object]) -> None:
    """Do this right behind a step of the start."""
    real = getattr(main, step)

    async def followed(*given: Any, **more: Any) -> Any:
        done = await real(*given, **more)
        then()
        return done

    monkeypatch.setattr(main, step, followed)


@pytest.mark.parametrize("step", ["require_topics", "settle", "require_fence"])
async def test_a_kafka_that_goes_away_while_a_service_begins_is_told_of(
    service: Service, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    once_done(monkeypatch, step, proxy.refuse)

    with pytest.raises((StartupError, ClusterError), match="Is Kafka there"):
        await service.__aenter__()

    assert proxy.counts
