"""What an installation can live with and somebody should know, done to one."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer
from sqlalchemy import text

from authbus.state import PublicKey
from authbus.topics import ACCOUNTS, KEYS_STATE, Topic
from authbus_service.cluster import Admin
from authbus_service.core.database import Database
from authbus_service.core.security.keyring import KeyRing, first_keys
from authbus_service.core.security.masters import Masters


async def set_otherwise(
    servers: str, namespace: str, topic: Topic, setting: str, value: str
) -> str:
    """Give a topic a setting that is not declared; returns the topic's name once it counts."""
    name = topic.name(namespace)
    async with Admin.connect(servers, {}) as admin, asyncio.timeout(10):
        await admin.set(name, {**topic.config, setting: value})
        while (await admin.settings([name]))[name][setting].value != value:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return name


async def fix_compression(servers: str, namespace: str) -> str:
    """Let a topic have a setting as some brokers fix it; returns the topic's name."""
    return await set_otherwise(servers, namespace, ACCOUNTS, "compression.type", "gzip")


async def commit_asynchronously(database: Database) -> None:
    """From the next connection on."""
    name = database.engine.url.database
    async with database.transaction() as db:
        await db.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))


def a_strangers_keys() -> list[PublicKey]:
    """Two, signed under a root that nobody pins."""
    masters = Masters([os.urandom(32)])
    ring = KeyRing(masters)
    ring.load(first_keys(datetime.now(UTC), masters))
    return ring.public_records()


async def say_keys(servers: str, namespace: str, keys: Sequence[PublicKey]) -> None:
    """Write onto the topic of keys, as whoever may."""
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for key in keys:
            value = key.model_dump_json().encode()
            await producer.send_and_wait(KEYS_STATE.name(namespace), value, key.kid.encode())
