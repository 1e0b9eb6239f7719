"""The wiring of replays: a database and its cluster, which belong together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from authbus_service.cluster import Admin, settle
from authbus_service.core.config import Settings
from authbus_service.core.database import Database
from authbus_service.replay.commands import CommandReplay, Tell
from authbus_service.replay.events import EventReplay
from authbus_service.replay.groups import GroupReplay
from authbus_service.startup.database import open_database, require_newest
from authbus_service.startup.errors import StartupError
from authbus_service.startup.servers import Servers, addresses


@asynccontextmanager
async def belonging(place: Servers) -> AsyncGenerator[tuple[Database, Admin]]:
    """The database and the cluster of `place`. Nothing is written by an older or foreign one.

    Raises StartupError and ClusterError, each with its cure.
    """
    kafka, url = addresses(place.settings)
    database = open_database(url)
    try:
        await require_newest(database)
        async with Admin.connect(kafka, place.settings.security()) as admin:
            cluster_id, _ = await admin.describe()
            namespace = place.settings.namespace
            await settle(database, namespace=namespace, cluster_id=cluster_id)
            yield database, admin
    finally:
        await database.close()


@asynccontextmanager
async def command_replay(place: Servers, tell: Tell) -> AsyncGenerator[CommandReplay]:
    """What replays commands at `place`. Raises StartupError and ClusterError."""
    async with belonging(place) as (database, admin):
        yield CommandReplay(database, admin, place.settings.namespace, tell, admin.security)


@asynccontextmanager
async def event_replay(settings: Settings, tell: Tell) -> AsyncGenerator[EventReplay]:
    """What copies events of the Kafka that is given. Raises StartupError and ClusterError."""
    async with cluster(settings) as admin:
        yield EventReplay(admin, settings.namespace, tell, admin.security)


@asynccontextmanager
async def group_replay(settings: Settings) -> AsyncGenerator[GroupReplay]:
    """What moves groups of the Kafka that is given. Raises StartupError and ClusterError."""
    async with cluster(settings) as admin:
        yield GroupReplay(admin, settings.namespace, admin.security)


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
