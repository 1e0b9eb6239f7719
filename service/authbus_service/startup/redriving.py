"""The wiring of dead letters: to look at them, and to handle one here as a service would."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from authbus_service.auth.granting import Granting
from authbus_service.consumers.opening import Opener
from authbus_service.consumers.policy import policy_of
from authbus_service.consumers.questions import readers_of, tools_of
from authbus_service.consumers.speaker import Speaker
from authbus_service.core.config import Settings
from authbus_service.core.database import Database
from authbus_service.core.progress import Tell
from authbus_service.core.security.following import KeyFollower
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.keyring import KeyRing
from authbus_service.core.security.repository import keys
from authbus_service.replay.letters import DeadLetters
from authbus_service.replay.originals import Originals
from authbus_service.replay.redriving import Handling, Redriving
from authbus_service.startup.clients import declared_clients
from authbus_service.startup.copying import cluster
from authbus_service.startup.hashing import hash_pool
from authbus_service.startup.replaying import up_to_date
from authbus_service.startup.roles import declared_roles
from authbus_service.startup.servers import Servers


@asynccontextmanager
async def dead_letters(settings: Settings) -> AsyncGenerator[tuple[DeadLetters, Originals]]:
    """Those of the Kafka that is given, and the records that they stand for.

    Raises StartupError and ClusterError.
    """
    async with cluster(settings) as admin:
        yield DeadLetters(admin, settings.namespace), Originals(admin, settings.namespace)


@asynccontextmanager
async def redriving(servers: Servers, tell: Tell, *, dry_run: bool) -> AsyncGenerator[Redriving]:
    """What handles dead letters on `servers`.

    Raises StartupError, ClusterError, ConfigError, MasterKeyError, and DatabaseWentBackError.
    """
    settings = servers.settings
    namespace = settings.namespace
    masters = settings.masters()
    async with up_to_date(servers, dry_run=dry_run) as (database, admin):
        ring = KeyRing(masters)
        async with database.reading() as db:
            ring.load(await keys(db))
        hashes, speaker = hash_pool(settings), Speaker(namespace, admin.servers, admin.security)
        try:
            await speaker.start()
            yield Redriving(
                database=database,
                letters=DeadLetters(admin, namespace),
                originals=Originals(admin, namespace),
                speaker=speaker,
                handling=_handling(servers, database, ring, hashes),
                tell=tell,
            )
        finally:
            await speaker.stop()
            hashes.close()


def _handling(servers: Servers, database: Database, ring: KeyRing, hashes: HashPool) -> Handling:
    settings = servers.settings
    clients = declared_clients(settings.clients, own_kafka=servers.own_kafka)
    policy = policy_of(settings, declared_roles(settings, clients))
    return Handling(
        opener=Opener(ring, clients, settings.namespace),
        masters=ring.masters,
        tools=tools_of(database, hashes, policy, *readers_of(settings.issuer, ring)),
        hashes=hashes,
        finish=Granting(settings.issuer, ring.sign, settings.totp_issuer),
        keys=KeyFollower(database, ring, settings.keys_reload_seconds),
    )
