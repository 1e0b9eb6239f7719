"""The wiring of a copying: Kafka alone, so that it begins at once."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from authbus_service.cluster import Admin
from authbus_service.core.config import Settings
from authbus_service.core.progress import Tell
from authbus_service.replay.events import EventReplay
from authbus_service.startup.errors import StartupError


@asynccontextmanager
async def event_replay(settings: Settings, tell: Tell) -> AsyncGenerator[EventReplay]:
    """What copies events of the Kafka that is given. Raises StartupError and ClusterError."""
    async with cluster(settings) as admin:
        yield EventReplay(admin, settings.namespace, tell)


@asynccontextmanager
async def cluster(settings: Settings) -> AsyncGenerator[Admin]:
    """The Kafka that is given. Raises StartupError and ClusterError."""
    if settings.kafka_bootstrap_servers is None:
        raise StartupError(
            "KAFKA_BOOTSTRAP_SERVERS is not set. "
            "`authbus serve` prints the one of a Kafka of its own"
        )
    async with Admin.connect(settings.kafka_bootstrap_servers, settings.security()) as admin:
        yield admin
