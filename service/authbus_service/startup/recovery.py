"""The wiring of a recovery: what a service has, but for consumers and relay."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from authbus_service.cluster.installation import compare, settle
from authbus_service.consumers.intakes import groups_of
from authbus_service.consumers.opening import Opener
from authbus_service.consumers.policy import policy_of
from authbus_service.consumers.questions import readers_of, tools_of
from authbus_service.core.progress import Tell
from authbus_service.core.security.keyring import KeyRing
from authbus_service.core.security.repository import keys
from authbus_service.recovery.reading import Topics
from authbus_service.recovery.recover import Recovery
from authbus_service.startup.clients import declared_clients
from authbus_service.startup.database import bring_to_newest, open_database, require_newest
from authbus_service.startup.fence import committed_offsets
from authbus_service.startup.hashing import hash_pool
from authbus_service.startup.roles import declared_roles
from authbus_service.startup.servers import Servers, addresses
from authbus_service.startup.topics import require_topics


@asynccontextmanager
async def recovery(
    servers: Servers, tell: Tell, *, dry_run: bool = False
) -> AsyncGenerator[Recovery]:
    """A recovery of the database on `servers`, from the topics there; or a `dry_run` of it.

    Raises StartupError, ClusterError, ConfigError and MasterKeyError, each with its cure.
    """
    settings = servers.settings
    kafka, url = addresses(settings)
    security = settings.security()
    masters = settings.masters()
    clients = declared_clients(settings.clients, own_kafka=servers.own_kafka)
    policy = policy_of(settings, declared_roles(settings, clients))
    database, hashes = open_database(url, patient=True), hash_pool(settings)
    groups = groups_of(settings.namespace)
    try:
        await (bring_to_newest if servers.own_database else require_newest)(database)
        cluster = await require_topics(
            kafka, security, namespace=settings.namespace, clients=clients, how="check"
        )
        await (compare if dry_run else settle)(
            database, namespace=settings.namespace, cluster_id=cluster.id, recovering=True
        )
        ring = KeyRing(masters)
        async with database.reading() as db:
            ring.load(await keys(db))
        yield Recovery(
            database=database,
            topics=Topics(kafka, settings.namespace, security),
            committed=partial(committed_offsets, kafka, security, settings.namespace, groups),
            keyring=ring,
            opener=Opener(ring, clients, settings.namespace),
            tools=tools_of(database, hashes, policy, *readers_of(settings.issuer, ring)),
            policy=policy,
            hashes=hashes,
            tell=tell,
        )
    finally:
        hashes.close()
        await database.close()
