"""The database's shape: Alembic, run from the repository or from the installed wheel.

Alembic is loaded when something is migrated: a service only looks whether it must be.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from authbus_service.core.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

_PACKAGE = Path(__file__).resolve().parents[1]
_IS_THERE = text("SELECT to_regclass('alembic_version') IS NOT NULL")
_REVISION = text("SELECT version_num FROM alembic_version")
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('authbus.migrations'))")
_MAY_IDLE = text("SET LOCAL idle_in_transaction_session_timeout = 0")
_LOCK_NOT_AVAILABLE = "55P03"
_PAUSE_SECONDS, _PATIENCE_SECONDS = 1.0, 60.0


class TablesHeldError(Exception):
    """Somebody holds a table, and did not let go of it for as long as a migration tries."""


def migrations_folder() -> Path:
    """Inside the installed wheel, or beside the sources in a checkout."""
    packed = _PACKAGE / "migrations"
    return packed if packed.is_dir() else _PACKAGE.parents[1] / "migrations"


def config(connection: Connection | None = None) -> "Config":
    """Alembic's, for this connection."""
    from alembic.config import Config  # noqa: PLC0415 - a tenth of a second at each start

    made = Config()
    # A % begins the name of another option there.
    made.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def newest() -> str:
    """The revision that this code expects: files are named by their revisions, in order."""
    files = (migrations_folder() / "versions").glob("[0-9]*.py")
    return max((path.name.partition("_")[0] for path in files), default="")


async def migrate(database: Database, *, patience: float = _PATIENCE_SECONDS) -> str:
    """Bring the database to the newest revision; returns it. Safe for two processes at once.

    A database that a newer version has brought further is left as it is. While somebody holds a
    table, it is tried again, with pauses in which those who wait behind it go on. Raises
    TablesHeldError after `patience` seconds.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + patience
    while (found := await current(database)) < newest():
        if await _tried(database):
            continue
        if clock() >= deadline:
            raise TablesHeldError
        await asyncio.sleep(_PAUSE_SECONDS)
    return found


async def _tried(database: Database) -> bool:
    """Whether it is done; False: a migration could not have a lock in time, and changed nothing."""
    from alembic import command  # noqa: PLC0415

    try:
        async with _alone(database), database.engine.connect() as db:
            await db.run_sync(lambda connection: command.upgrade(config(connection), "head"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


@asynccontextmanager
async def _alone(database: Database) -> AsyncGenerator[None]:
    """Nobody else migrates meanwhile: who comes later then finds nothing left to do.

    The lock is held beside the work, which is no single transaction where an index is made
    concurrently. Such an index waits for every statement that goes on, so nobody waits in one.
    """
    while True:
        async with database.transaction() as db:
            if await db.scalar(_LOCK):
                # Behind it, so that the last statement is none that has a snapshot until the next.
                await db.execute(_MAY_IDLE)
                yield
                return
        await asyncio.sleep(_PAUSE_SECONDS)


async def current(database: Database) -> str:
    """The database's revision, or '' for an empty database."""
    async with database.reading() as db:
        if not await db.scalar(_IS_THERE):
            return ""
        return await db.scalar(_REVISION) or ""
