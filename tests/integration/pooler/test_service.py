"""The service on connections that PgBouncer lends by the transaction."""

import asyncio
import base64
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus import AuthClient, EventStream, Registered
from authbus.client import Session
from authbus_service.consumers.went_back import DatabaseWentBackError
from authbus_service.core.config import Settings
from authbus_service.core.database import Database
from authbus_service.embedded import Addresses, EmbeddedStack
from authbus_service.inbox import writing
from authbus_service.inbox.writing import RecoveryRunsError
from authbus_service.main import Service
from authbus_service.startup.database import open_database
from authbus_service.startup.servers import Servers
from tests.rig.accident import backup, installed, recovered, serving, tables
from tests.rig.connections import counting
from tests.rig.crowd import Crowd
from tests.rig.pooling import CONNECTIONS, Pooler
from tests.rig.world import World, a_world

pytestmark = pytest.mark.slow

USERS, PASSWORD = 40, "correct horse battery"
# The pooler keeps connections that nobody uses; a copy can be made where there is none.
OTHERS = text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
async def settings(
    addresses: Addresses, namespace: str, database: Database, database_url: str, pooler: Pooler
) -> Settings:
    return Settings(
        kafka_bootstrap_servers=addresses.bootstrap_servers,
        database_url=SecretStr(pooler.url(database_url)),
        namespace=namespace,
        topics="apply",
        master_key=SecretStr(base64.b64encode(os.urandom(32)).decode()),
        argon2_memory_kib=8,
        argon2_time=1,
        http_port=None,
    )


@asynccontextmanager
async def a_service(settings: Settings) -> AsyncGenerator[Service]:
    async with Service(Servers(settings, own_kafka=True, own_database=False, stack=None)) as made:
        yield made


async def lived(auth: AuthClient, user: int) -> Session:
    email = f"user{user}@example.com"
    await auth.register(email, PASSWORD)
    session = await auth.refresh(await auth.log_in(email, PASSWORD))
    await auth.log_out(session)
    return session


async def test_two_processes_that_share_five_connections_do_all_of_it(
    settings: Settings, database_url: str
) -> None:
    where: dict[str, Any] = {"namespace": settings.namespace, "on_stale": "accept"}
    servers = str(settings.kafka_bootstrap_servers)
    told: dict[str, list[int]] = {}
    async with (
        asyncio.timeout(60),
        counting(database_url) as counts,
        a_service(settings) as one,
        a_service(settings),
        AuthClient(servers, client_id="web", trust=one.trust, **where) as auth,
    ):
        sessions = await asyncio.gather(*(lived(auth, user) for user in range(USERS)))
        async for event in EventStream(servers, group="billing", namespace=settings.namespace):
            told.setdefault(str(event.user_id), []).append(event.sequence)
            if sum(map(len, told.values())) == 4 * USERS:
                break

    assert len({each.session_id for each in sessions}) == USERS
    assert list(told.values()) == [[1, 2, 3, 4]] * USERS
    assert 1 < max(counts) <= CONNECTIONS


@pytest.fixture
async def world(
    addresses: Addresses, namespace: str, database: Database, lent: Database
) -> AsyncIterator[World]:
    """Everything but the test's own looks goes by the pooler."""
    async with a_world(addresses.bootstrap_servers, namespace, lent) as made:
        yield await installed(made)


async def test_a_lost_database_is_recovered_by_way_of_it(
    world: World, database: Database, pooler: Pooler
) -> None:
    crowd = Crowd(world)
    async with database.transaction() as db:
        await db.execute(OTHERS)
    copy = await backup(database)
    async with serving(world):
        await crowd.asked(crowd.log_outs(await crowd.with_sessions(10)))
    expected = await tables(world.database, [])
    url = copy.engine.url.render_as_string(hide_password=False)
    back = replace(world, database=open_database(pooler.url(url)))

    async with writing.alone(back.database), back.database.transaction() as db:
        with pytest.raises(RecoveryRunsError):
            await writing.begin(db)
    report = await recovered(back)

    assert report.lost == []
    assert await tables(copy, []) == expected
    await back.database.close()
    await copy.close()


async def test_a_server_behind_it_that_lost_commits_is_noticed_without_a_new_connection(
    world: World, database: Database, stack: EmbeddedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authbus_service.consumers.subscriber._DRAIN_SECONDS", 0.5)
    crowd = Crowd(world)
    async with world.consuming() as consumers:
        made = await crowd.asked(crowd.registers(range(5)))
        async with database.transaction() as db:
            await db.execute(text("DELETE FROM inbox"))
        await stack.kill_postgres()
        await stack.restart_postgres()

        await world.web.send(crowd.registers([5])[0])

        assert consumers.failure is not None
        with pytest.raises(DatabaseWentBackError, match="what this process has committed"):
            await asyncio.wait_for(asyncio.shield(consumers.failure), 20)

    assert all(isinstance(each, Registered) for each in made)
    assert len(await world.rows("SELECT id FROM users")) == 5
