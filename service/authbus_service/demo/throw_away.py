"""What the demo makes on servers that are given, and takes away again."""

import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from authbus.topics import TOPICS, replies
from authbus_service.cluster import Admin, ClusterError
from authbus_service.core.database import place_of
from authbus_service.startup.database import bring_to_newest, open_database
from authbus_service.startup.errors import StartupError


def name() -> str:
    """A name that nobody else has."""
    return f"demo-{secrets.token_hex(4)}"


@asynccontextmanager
async def database(url: str) -> AsyncGenerator[str]:
    """A migrated database beside the one at `url`, dropped at the end."""
    await open_database(url).close()  # it is PostgreSQL's, and its words about TLS make sense
    beside = make_url(url)
    made = name().replace("-", "_")
    plain = beside.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        await _execute(plain, f"CREATE DATABASE {made}")
    except asyncpg.InsufficientPrivilegeError:
        raise StartupError(
            f"the demo makes a database of its own, and {beside.username} may not. "
            f"ALTER ROLE {beside.username} CREATEDB. "
            "Without DATABASE_URL it starts a PostgreSQL of its own"
        ) from None
    except (asyncpg.PostgresError, OSError, TimeoutError) as error:
        where = place_of(beside)
        raise StartupError(
            f"the database at {where} cannot be used: {error}. Is PostgreSQL there?"
        ) from None
    fresh = beside.set(database=made).render_as_string(hide_password=False)
    try:
        opened = open_database(fresh)
        await bring_to_newest(opened)
        await opened.close()
        yield fresh
    finally:
        await _execute(plain, f"DROP DATABASE {made} WITH (FORCE)")


@asynccontextmanager
async def namespace(
    servers: str, client_id: str, security: Mapping[str, Any]
) -> AsyncGenerator[str]:
    """A namespace whose topics are deleted at the end."""
    made = name()
    names = [topic.name(made) for topic in (*TOPICS, replies(client_id))]
    try:
        yield made
    except BaseException:
        with suppress(ClusterError):  # the first error is the one to tell
            await _delete(servers, security, names)
        raise
    await _delete(servers, security, names)


async def _delete(servers: str, security: Mapping[str, Any], names: list[str]) -> None:
    async with Admin.connect(servers, security) as admin:
        await admin.delete(names)


async def _execute(url: str, statement: str) -> None:
    db = await asyncpg.connect(url, timeout=5)
    try:
        await db.execute(statement)
    finally:
        await db.close()
