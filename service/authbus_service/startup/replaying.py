"""The wiring of replays: a database and its cluster, which belong together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from authbus_service.cluster import Admin
from authbus_service.cluster.installation import compare, settle
from authbus_service.consumers.intakes import groups_of
from authbus_service.core.config import Settings
from authbus_service.core.database import Database
from authbus_service.core.progress import Tell
from authbus_service.replay.commands import CommandReplay
from authbus_service.replay.groups import GroupReplay
from authbus_service.replay.states import UserStates
from authbus_service.startup.copying import cluster
from authbus_service.startup.database import open_database, require_newest
from authbus_service.startup.fence import require_fence
from authbus_service.startup.servers import Servers, addresses


@asynccontextmanager
async def belonging(servers: Servers, *, dry_run: bool) -> AsyncGenerator[tuple[Database, Admin]]:
    """The database and the cluster of `servers`. Nothing is written by an older or foreign one.

    In a `dry_run` not even where a database belongs that belongs nowhere yet.

    Raises StartupError and ClusterError, each with its cure.
    """
    kafka, url = addresses(servers.settings)
    database = open_database(url)
    try:
        await require_newest(database)
        async with Admin.connect(kafka, servers.settings.security()) as admin:
            cluster_id, _ = await admin.describe()
            namespace = servers.settings.namespace
            await (compare if dry_run else settle)(
                database, namespace=namespace, cluster_id=cluster_id
            )
            yield database, admin
    finally:
        await database.close()


@asynccontextmanager
async def command_replay(
    servers: Servers, tell: Tell, *, dry_run: bool
) -> AsyncGenerator[CommandReplay]:
    """What replays commands on `servers`. Raises StartupError and ClusterError."""
    async with belonging(servers, dry_run=dry_run) as (database, admin):
        yield CommandReplay(database, admin, servers.settings.namespace, tell)


@asynccontextmanager
async def user_states(servers: Servers, tell: Tell, *, dry_run: bool) -> AsyncGenerator[UserStates]:
    """What tells users' states again.

    Raises StartupError, ClusterError, and DatabaseWentBackError: an older database knows less.
    """
    async with up_to_date(servers, dry_run=dry_run) as (database, admin):
        yield UserStates(database, admin, servers.settings.namespace, tell)


@asynccontextmanager
async def up_to_date(servers: Servers, *, dry_run: bool) -> AsyncGenerator[tuple[Database, Admin]]:
    """As `belonging`, and the database knows all that was said. Raises DatabaseWentBackError."""
    namespace = servers.settings.namespace
    async with belonging(servers, dry_run=dry_run) as (database, admin):
        await require_fence(
            database,
            admin.servers,
            admin.security,
            namespace=namespace,
            groups=groups_of(namespace),
        )
        yield database, admin


@asynccontextmanager
async def group_replay(settings: Settings) -> AsyncGenerator[GroupReplay]:
    """What moves groups of the Kafka that is given. Raises StartupError and ClusterError."""
    async with cluster(settings) as admin:
        yield GroupReplay(admin, settings.namespace)
