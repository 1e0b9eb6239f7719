"""The wiring of replays: a database and its cluster, which belong together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from authbus_service.cluster import Admin, settle
from authbus_service.core.database import Database
from authbus_service.replay.commands import CommandReplay, Tell
from authbus_service.startup.database import open_database, require_newest
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
