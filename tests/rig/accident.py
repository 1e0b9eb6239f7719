"""A database that is lost after a backup: what is done before, after, and how it comes back."""

import asyncio
import json
import os
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from sqlalchemy import text

from authbus.topics import COMMAND_TOPICS, EVENTS, Topic
from authbus_service.auth.roles.roles import BUILT_IN
from authbus_service.cluster.installation import settle
from authbus_service.cluster.places import places_of
from authbus_service.consumers.intakes import groups_of
from authbus_service.consumers.opening import Opener
from authbus_service.consumers.policy import policy_of
from authbus_service.consumers.questions import readers_of, tools_of
from authbus_service.core.clients import EMBEDDED_CLIENTS
from authbus_service.core.config import Settings
from authbus_service.core.database import Database, connect
from authbus_service.core.ids import new_id
from authbus_service.core.security.keyring import KeyRing
from authbus_service.core.security.repository import keys
from authbus_service.recovery import recover, unsealing
from authbus_service.recovery.reading import Topics
from authbus_service.recovery.recover import Recovery
from authbus_service.recovery.report import Report
from authbus_service.recovery.unsealing import Unsealer
from authbus_service.relay.loop import Relay
from authbus_service.startup.fence import committed_offsets
from authbus_service.startup.keys import open_keyring
from tests.rig import programs
from tests.rig.topics import records
from tests.rig.world import World


async def installed(world: World) -> World:
    """The world's database with its keys and the place where it belongs."""
    await settle(world.database, namespace=world.namespace, cluster_id="here")
    keyring = await open_keyring(world.database, world.masters)
    jwk = next(record.jwk for record in keyring.public_records() if record.use == "enc")
    world.web.seal_to(jwk)
    return replace(world, keyring=keyring)


@asynccontextmanager
async def serving(world: World) -> AsyncGenerator[Relay]:
    """Consumers and a relay; all is said when the block has ended."""
    async with relaying(world) as relay, world.consuming():
        yield relay


@asynccontextmanager
async def relaying(world: World) -> AsyncGenerator[Relay]:
    """A relay alone; all is said when the block has ended."""
    epoch = await settle(world.database, namespace=world.namespace, cluster_id="here")
    relay = Relay(
        world.database,
        bootstrap_servers=world.servers,
        namespace=world.namespace,
        epoch=epoch,
        holder=new_id(),
    )
    running = asyncio.create_task(relay.run())
    try:
        yield relay
        async with asyncio.timeout(20):
            while await world.rows("SELECT 1 FROM outbox"):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def backup(database: Database) -> Database:
    """A copy of the database as it is now. Nobody may be connected."""
    await database.engine.dispose()
    url = database.engine.url
    name = f"{url.database}_copy"
    dsn = url.set(drivername="postgresql", database="postgres")
    admin = await asyncpg.connect(dsn.render_as_string(hide_password=False))
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{url.database}"')
    await admin.close()
    return connect(url.set(database=name).render_as_string(hide_password=False))


async def recovered(
    world: World, *, dry_run: bool = False, keep: Callable[[Report], None] | None = None
) -> Report:
    """Recover the world's database from its topics."""
    ring = KeyRing(world.masters)
    async with world.database.reading() as db:
        ring.load(await keys(db))
    settings = Settings(namespace=world.namespace, **world.settings)
    policy = policy_of(settings, BUILT_IN)
    readers = readers_of(settings.issuer, ring)
    recovery = Recovery(
        database=world.database,
        topics=Topics(world.servers, world.namespace),
        committed=partial(
            committed_offsets, world.servers, {}, world.namespace, groups_of(world.namespace)
        ),
        keyring=ring,
        opener=Opener(ring, EMBEDDED_CLIENTS, world.namespace),
        tools=tools_of(world.database, world.hashes, policy, *readers),
        policy=policy,
        hashes=world.hashes,
        tell=lambda _step, _done, _total: None,
    )
    with patch.object(recover, "unsealing", _unsealing):
        return await recovery.run(dry_run=dry_run, keep=keep or (lambda _: None))


@asynccontextmanager
async def _unsealing(keys: Mapping[str, EllipticCurvePrivateKey]) -> AsyncGenerator[Unsealer]:
    """The process that opens seals, as a fork: to import takes longer than all that it opens."""
    process = await programs.start(
        module=unsealing.__name__, environment=os.environ, folder=Path.cwd(), given=None
    )
    try:
        yield Unsealer(cast("Process", process), keys)
    finally:
        process.kill()
        await process.wait()


async def all_said(world: World) -> None:
    """What waits for the relay is on its topic."""
    async with serving(world):
        pass


def missing(report: Report) -> list[str]:
    """The first word of each thing that does not come back."""
    return sorted(each["what"].split()[0] for each in report.lost)


async def said(world: World, topic: Topic = EVENTS) -> list[dict[str, Any]]:
    """Every event, or other record, on its topic, with its id."""
    found: list[dict[str, Any]] = []
    async for record in records(world.servers, topic, world.namespace):
        headers, event = dict(record.headers), json.loads(record.value or b"{}")
        found.append(event | {"id": headers["ce_id"], "type": headers["ce_type"]})
    return found


async def last_words(world: World, topic: Topic) -> dict[str, dict[str, Any] | None]:
    """The newest record of each key; None is a tombstone."""
    return {
        (record.key or b"").decode(): record.value and json.loads(record.value)
        async for record in records(world.servers, topic, world.namespace)
    }


async def forget_commands(servers: str, namespace: str) -> None:
    """As if the topics of commands had kept what is on them for long enough."""
    names = [topic.name(namespace) for topic in COMMAND_TOPICS]
    places = await places_of({"bootstrap_servers": servers}, names)
    async with AIOKafkaConsumer(bootstrap_servers=servers) as consumer:
        consumer.assign([*places])  # it hears of all topics at once then
        ends = await consumer.end_offsets(places)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        await admin.delete_records({at: RecordsToDelete(before_offset=ends[at]) for at in places})
    finally:
        await admin.close()


TABLES = {
    "users": "SELECT * FROM users ORDER BY id",
    "erased": "SELECT * FROM erased_users ORDER BY id",
    "emails": "SELECT * FROM emails ORDER BY canonical",
    "sessions": "SELECT * FROM sessions ORDER BY id",
    "codes": "SELECT hash, user_id, purpose, address, expires_at, used_at FROM codes ORDER BY hash",
    "factors": "SELECT user_id, enabled_at, last_step, recovery_codes FROM factors"
    " ORDER BY user_id",
    "keys": "SELECT * FROM keys ORDER BY kid",
    "effects": "SELECT id, digest, content, master, expires_at, handled_at, outcome FROM inbox"
    " WHERE id = ANY(:causes) ORDER BY id",
}


Tables = dict[str, list[dict[str, object]]]


async def tables(database: Database, causes: list[UUID]) -> Tables:
    """All that events make, and the answers of the commands that caused them."""
    found: Tables = {}
    async with database.reading() as db:
        for name, sql in TABLES.items():
            asked = {"causes": causes} if ":causes" in sql else {}
            found[name] = [dict(row) for row in (await db.execute(text(sql), asked)).mappings()]
    return found


def differences(found: Tables, expected: Tables) -> list[str]:
    """What is not the same in which tables, row by row."""
    counts = [
        f"{name}: {len(found[name])} rows, expected {len(rows)}"
        for name, rows in expected.items()
        if len(found[name]) != len(rows)
    ]
    return counts or [
        f"{name}: {key} is {one[key]!r}, expected {other[key]!r}"
        for name in expected
        for one, other in zip(found[name], expected[name], strict=True)
        for key in one
        if one[key] != other[key]
    ]
