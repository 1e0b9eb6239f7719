"""`authbus state`: the compacted topics, written anew from the database."""

from dataclasses import asdict
from typing import Any

from authbus_service.cli.output import report, show
from authbus_service.cli.progress import progress
from authbus_service.cli.running import run_quietly
from authbus_service.core.config import Settings, load
from authbus_service.embedded import warm
from authbus_service.replay.key_topic import KeyTopic
from authbus_service.startup.keys import retell
from authbus_service.startup.master_key import masters_of
from authbus_service.startup.replaying import up_to_date, user_states
from authbus_service.startup.servers import needs_own_kafka, running_servers


def rebuild_users(*, dry_run: bool) -> None:
    """Print how many states and tombstones went into the outbox."""
    settings = _settings()
    show(run_quietly(_users(settings, dry_run)))


def rebuild_keys(*, dry_run: bool) -> None:
    """Print how many keys and tombstones went into the outbox."""
    settings = _settings()
    show(run_quietly(_keys(settings, dry_run)))


def _settings() -> Settings:
    settings = load()
    if needs_own_kafka(settings):
        warm(report)
    return settings


async def _users(settings: Settings, dry_run: bool) -> dict[str, Any]:
    async with running_servers(settings, report) as servers:
        with progress() as tell:
            async with user_states(servers, tell, dry_run=dry_run) as states:
                return asdict(await states.rebuild(dry_run=dry_run))


async def _keys(settings: Settings, dry_run: bool) -> dict[str, Any]:
    async with (
        running_servers(settings, report) as servers,
        up_to_date(servers, dry_run=dry_run) as (database, admin),
    ):
        masters = masters_of(servers.settings)
        topic = await KeyTopic.read(admin, settings.namespace, masters)
        keys, tombstones = await retell(database, masters, topic, dry_run=dry_run)
    return {"dry_run": dry_run, "keys": keys, "tombstones": tombstones}
