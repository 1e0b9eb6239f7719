"""Clocks that are moved: what topics take for the time of a record, the database's, the service's.

A function of the database that tells the time is hidden behind one of that name in a schema which
comes first in its search path.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from sqlalchemy import text

from authbus.topics import COMMAND_TOPICS
from authbus_service.core import clock
from authbus_service.core.database import Database

_TELL_THE_TIME = ("clock_timestamp", "now", "statement_timestamp", "transaction_timestamp")


@asynccontextmanager
async def any_times(servers: str, namespace: str) -> AsyncGenerator[None]:
    """Topics of commands that take the times they are given."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        await _take_times(admin, namespace, "CreateTime")
        yield
        await _take_times(admin, namespace, "LogAppendTime")
    finally:
        await admin.close()


async def _take_times(admin: AIOKafkaAdminClient, namespace: str, kind: str) -> None:
    far = str(timedelta(days=365) // timedelta(milliseconds=1))
    settings = {"message.timestamp.type": kind, "message.timestamp.after.max.ms": far}
    await admin.alter_configs(
        [
            ConfigResource(
                ConfigResourceType.TOPIC, topic.name(namespace), {**topic.config, **settings}
            )
            for topic in COMMAND_TOPICS
        ]
    )
    await asyncio.sleep(1)


@asynccontextmanager
async def later(database: Database, by: timedelta) -> AsyncGenerator[None]:
    """A block in which it is so much later for the service and its database; start it inside."""
    await _move(database, by)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clock, "now", lambda: datetime.now(UTC) + by)
        yield
    await _move(database, timedelta())


async def _move(database: Database, by: timedelta) -> None:
    name = database.engine.url.database
    async with database.transaction() as db:
        await db.execute(text("CREATE SCHEMA IF NOT EXISTS moved"))
        for each in _TELL_THE_TIME:
            moved = f"pg_catalog.{each}() + interval '{by.total_seconds()} seconds'"
            await db.execute(
                text(
                    f"CREATE OR REPLACE FUNCTION moved.{each}() RETURNS timestamptz "
                    f"LANGUAGE sql VOLATILE AS $$ SELECT {moved} $$"
                )
            )
        path = "moved, pg_catalog, public"
        await db.execute(text(f'ALTER DATABASE "{name}" SET search_path = {path}'))
    # A connection keeps the path with which it began.
    await database.engine.dispose()
