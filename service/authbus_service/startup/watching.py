"""The wiring of `authbus watch`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from authbus_service.core.config import Settings
from authbus_service.reading.records import Where
from authbus_service.startup.clients import declared_clients
from authbus_service.startup.copying import cluster
from authbus_service.watching.following import Watching


@asynccontextmanager
async def watching(settings: Settings, where: Where) -> AsyncGenerator[Watching]:
    """What follows the Kafka that is given, with its declared clients' replies."""
    clients = declared_clients(settings.clients, own_kafka=settings.clients is None)
    async with cluster(settings) as admin:
        yield Watching(admin, settings.namespace, sorted(clients), where)
