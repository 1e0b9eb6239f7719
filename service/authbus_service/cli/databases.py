"""`authbus migrate`."""

from authbus_service.cli.output import show
from authbus_service.cli.running import run_quietly
from authbus_service.core.config import load
from authbus_service.startup.database import bring_to_newest, open_database
from authbus_service.startup.errors import StartupError


def migrate() -> None:
    """Bring the database at DATABASE_URL to the newest revision and print it."""
    url = load().database_url
    if url is None:
        raise StartupError(
            "DATABASE_URL is not set. `authbus serve` migrates a PostgreSQL of its own"
        )
    show({"revision": run_quietly(_migrate(url.get_secret_value()))})


async def _migrate(url: str) -> str:
    database = open_database(url)
    try:
        return await bring_to_newest(database)
    finally:
        await database.close()
