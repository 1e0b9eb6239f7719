"""The database's shape: Alembic, run from the repository or from the installed wheel."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from authbus_service.core.database import Database

_PACKAGE = Path(__file__).resolve().parents[1]


def migrations_folder() -> Path:
    """Inside the installed wheel, or beside the sources in a checkout."""
    packed = _PACKAGE / "migrations"
    return packed if packed.is_dir() else _PACKAGE.parents[1] / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """The revision that this code expects."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return head or ""


async def migrate(database: Database) -> str:
    """Bring the database to the newest revision; returns it. Safe for two processes at once."""
    async with database.transaction() as db:
        await db.run_sync(lambda connection: command.upgrade(_config(connection), "head"))
    return newest()


async def current(database: Database) -> str:
    """The database's revision, or '' for an empty database."""
    async with database.reading() as db:
        return await db.run_sync(_revision)


def _revision(connection: Connection) -> str:
    return MigrationContext.configure(connection).get_current_revision() or ""
