"""The consumers on real servers, without a relay: what they say stays in the outbox."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr
from sqlalchemy import text

from authbus import LoggedIn, LogIn, RegisterUser
from authbus.contract import EVENTS
from authbus.message import Event
from authbus.topics import DEAD_LETTERS
from authbus_service.auth.roles.roles import BUILT_IN, Roles
from authbus_service.consumers.service import Consumers
from authbus_service.core.clients import EMBEDDED_CLIENTS
from authbus_service.core.config import Settings
from authbus_service.core.database import Database
from authbus_service.core.security.argon2id import Cost
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.keyring import KeyRing, first_keys
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.passwords import Hasher
from authbus_service.core.watch import Watch
from tests.rig.producing import Producer
from tests.rig.topics import FEW, made, places

EMAIL, PASSWORD = "ana@example.com", SecretStr("correct horse battery")
CHEAP = Cost(memory_kib=8, time=1, parallelism=1)


@dataclass
class World:
    """One namespace, one database, and as many consumers as a test starts."""

    servers: str
    namespace: str
    database: Database
    masters: Masters
    keyring: KeyRing
    hashes: HashPool
    web: Producer
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    roles: Roles = BUILT_IN
    watch: Watch | None = None

    @asynccontextmanager
    async def consuming(self) -> AsyncGenerator[Consumers]:
        """Run one process's consumers."""
        consumers = Consumers(
            database=self.database,
            settings=Settings(namespace=self.namespace, **self.settings),
            bootstrap_servers=self.servers,
            clients=EMBEDDED_CLIENTS,
            keyring=self.keyring,
            hashes=self.hashes,
            wake_relay=lambda: None,
            roles=self.roles,
            watch=self.watch,
        )
        await consumers.start()
        await consumers.broker.start()
        try:
            yield consumers
        finally:
            await consumers.stop()
            await consumers.broker.stop()

    async def session(self, email: str = EMAIL, password: SecretStr = PASSWORD) -> LoggedIn:
        """Register a user and log them in."""
        await self.web.ask(self.web.draft(RegisterUser(email=email, password=password)))
        return await self.logged_in(email, password)

    async def logged_in(
        self, email: str = EMAIL, password: SecretStr = PASSWORD, **side: Any
    ) -> LoggedIn:
        """Start one more session; `side` are other fields of the command."""
        command = LogIn(email=email, password=password, **side)
        session = await self.web.ask(self.web.draft(command))
        assert isinstance(session, LoggedIn)
        return session

    async def events(self) -> list[Event]:
        """Every event that waits in the outbox, in order."""
        rows = await self.rows("SELECT type, payload FROM outbox ORDER BY position")
        return [
            EVENTS[row["type"]].model_validate_json(row["payload"])
            for row in rows
            if row["type"] in EVENTS
        ]

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        async with self.database.reading() as db:
            return [dict(row) for row in (await db.execute(text(sql))).mappings()]

    async def dead_letters(self, count: int, *, within: float = 10) -> list[dict[str, Any]]:
        """Wait for so many dead letters, of all partitions."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.servers, auto_offset_reset="earliest")
        await consumer.start()
        found: list[dict[str, Any]] = []
        try:
            consumer.assign(await places(self.servers, DEAD_LETTERS, self.namespace))
            async with asyncio.timeout(within):
                while len(found) < count:
                    record = await consumer.getone()
                    found.append(json.loads(record.value or b"{}"))
        finally:
            await consumer.stop()
        return found


@asynccontextmanager
async def a_world(
    servers: str, namespace: str, database: Database, *, partitions: int = FEW
) -> AsyncGenerator[World]:
    """Topics, keys and a producer; no consumers yet."""
    await made(servers, namespace, EMBEDDED_CLIENTS, partitions=partitions)
    masters = Masters([os.urandom(32)])
    keyring = KeyRing(masters)
    keyring.load(first_keys(datetime.now(UTC), masters))
    jwk = next(record.jwk for record in keyring.public_records() if record.use == "enc")
    hashes = HashPool(Hasher(CHEAP))
    web = Producer(servers, namespace, jwk, "web")
    await web.start()
    try:
        yield World(servers, namespace, database, masters, keyring, hashes, web)
    finally:
        await web.stop()
        hashes.close()
