"""On Kubernetes one role owns the tables, and who serves may read and write their rows alone."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.core.database import Database, clock_of, connect
from authbus_service.core.migrations import migrate
from authbus_service.embedded import Addresses
from authbus_service.inbox import partitions
from authbus_service.relay.heartbeat import settled
from authbus_service.startup.database import require_newest
from authbus_service.startup.watchdog import Answering
from tests.rig import accident
from tests.rig.crowd import Crowd
from tests.rig.manifests import documents
from tests.rig.world import World, a_world

pytestmark = pytest.mark.slow

USERS = 3
DAYS = "SELECT inhrelid::regclass::text AS day FROM pg_inherits WHERE inhparent = 'inbox'::regclass"
FORBIDDEN = (
    "CREATE TABLE mine (id uuid)",
    "CREATE TABLE inbox_later PARTITION OF inbox DEFAULT",
    "ALTER TABLE users ADD COLUMN mine uuid",
    "TRUNCATE outbox",
    "DROP TABLE inbox",
    "CREATE ROLE mine",
)
# PostgreSQL's own catalogue as somebody would have it read: `fence` a day of the inbox.
LURES = (
    "CREATE TEMP TABLE pg_class AS SELECT 1::oid AS oid, 'fence'::name AS relname",
    "CREATE TEMP TABLE pg_inherits AS SELECT 'inbox'::regclass AS inhparent, 1::oid AS inhrelid",
)


@dataclass(frozen=True)
class Roles:
    """Two ways to one database."""

    owner: Database
    serving: Database

    @property
    def serving_url(self) -> str:
        return self.serving.engine.url.render_as_string(hide_password=False)


@pytest.fixture
async def roles(addresses: Addresses, repository: Path) -> AsyncIterator[Roles]:
    """A database as the manifest has it made, whose roles are named apart from other tests'."""
    name = f"t{uuid4().hex[:8]}"
    every = documents(repository / "deploy" / "kubernetes")
    made = next(each for _, each in every if each["kind"] == "Cluster")["spec"]["bootstrap"]
    after = [each.replace("authbus", name) for each in made["initdb"]["postInitApplicationSQL"]]
    url = make_url(addresses.database_url)
    async with superuser(url.database or "", addresses) as db:
        await db.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
        await db.execute(f"CREATE DATABASE {name} OWNER {name}")
    async with superuser(name, addresses) as db:
        for each in after:
            await db.execute(each)
        await db.execute(f"ALTER ROLE {name}_serving LOGIN PASSWORD '{name}'")
    both = [
        connect(
            url.set(username=role, password=name, database=name).render_as_string(
                hide_password=False
            )
        )
        for role in (name, f"{name}_serving")
    ]
    yield Roles(*both)
    for each in both:
        await each.close()
    async with superuser(url.database or "", addresses) as db:
        await db.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await db.execute(f"DROP ROLE {name}_serving")
        await db.execute(f"DROP ROLE {name}")


@asynccontextmanager
async def superuser(database: str, addresses: Addresses) -> AsyncGenerator[asyncpg.Connection]:
    db = await asyncpg.connect(addresses.database_url.replace("+asyncpg", ""), database=database)
    try:
        yield db
    finally:
        await db.close()


async def refused(database: Database, statement: str) -> str:
    """The code with which PostgreSQL refuses it."""
    with pytest.raises(ProgrammingError) as raised:
        async with database.transaction() as db:
            await db.execute(text(statement))
    return getattr(raised.value.orig, "sqlstate", "")


async def tomorrow(db: AsyncConnection) -> datetime:
    return await clock_of(db) + timedelta(days=1)


async def days(world: World) -> list[str]:
    return sorted(row["day"] for row in await world.rows(DAYS))


async def test_a_service_serves_as_a_role_that_may_change_no_table(
    roles: Roles, addresses: Addresses, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = addresses.bootstrap_servers
    await migrate(roles.owner)
    await require_newest(roles.serving)
    async with a_world(servers, namespace, roles.serving) as made:
        world = await accident.installed(made)
        async with accident.serving(world):
            await Crowd(world).with_sessions(USERS)
        today = await days(world)
        monkeypatch.setattr(partitions, "clock_of", tomorrow)
        async with roles.serving.transaction() as db:
            await partitions.keep(db)
        later = await days(world)

    assert len(await accident.said(world)) == 2 * USERS
    assert (len(later), later[:-1]) == (len(today), today[1:])
    assert await Answering({"bootstrap_servers": servers}, roles.serving_url).answer()
    codes = {each: await refused(roles.serving, each) for each in FORBIDDEN}
    assert codes == dict.fromkeys(FORBIDDEN, "42501")


async def test_the_relay_sees_what_others_of_its_role_have_under_way(roles: Roles) -> None:
    await migrate(roles.owner)
    async with roles.serving.transaction() as db:
        began = await db.scalar(text("SELECT now() FROM pg_current_xact_id()"))

        assert (await settled(roles.serving)).through == began


async def test_no_temporary_table_makes_the_owner_drop_another_one(roles: Roles) -> None:
    await migrate(roles.owner)
    async with roles.serving.transaction() as db:
        for each in LURES:
            await db.execute(text(each))
        await partitions.keep(db)

    async with roles.owner.reading() as db:
        assert await db.scalar(text("SELECT to_regclass('fence') IS NOT NULL"))


async def test_nobody_else_makes_or_drops_the_inboxes_days(
    roles: Roles, addresses: Addresses
) -> None:
    await migrate(roles.owner)
    name = roles.owner.engine.url.database
    async with superuser(name or "", addresses) as db:
        await db.execute("SET ROLE pg_monitor")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute("SELECT keep_inbox_days('2026-01-01', '2026-01-02')")
