"""`authbus keys`: what is there, new ones in place of those that serve, and the end of old ones."""

from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from authbus_service.cli.output import show, show_rows
from authbus_service.cli.running import run_quietly
from authbus_service.core import clock
from authbus_service.core.config import Settings, load
from authbus_service.core.database import Database
from authbus_service.core.security import repository
from authbus_service.core.security.following import LEAST_LOOKS
from authbus_service.core.security.keyring import Key, Use
from authbus_service.core.security.rotation import RotationError
from authbus_service.startup import keys
from authbus_service.startup.database import open_database, require_newest
from authbus_service.startup.errors import StartupError
from authbus_service.startup.master_key import masters_of


def list_keys() -> None:
    """Print every key, the oldest first."""
    _print(run_quietly(_found(load())))


def rotate(uses: Collection[Use], lead: int, trusted: str | None) -> None:
    """Replace the keys that serve, `lead` seconds from now, and print those that changed."""
    settings = load()
    require_lead(settings, lead)
    _print(run_quietly(_rotated(settings, uses, timedelta(seconds=lead), trusted)))


def retire(kid: str) -> None:
    """Destroy a key that nothing needs any more."""
    key = run_quietly(_destroyed(load(), kid))
    show({"destroyed": key.kid, "use": key.use})


def require_lead(settings: Settings, lead: int) -> None:
    """Raise RotationError for a lead in which not every process learns of a new key."""
    least = LEAST_LOOKS * settings.keys_reload_seconds
    if lead < least:
        raise RotationError(
            f"a process may learn of a new key as late as {settings.keys_reload_seconds} s after "
            f"it is made (AUTHBUS_KEYS_RELOAD_SECONDS). Give a --lead of at least {least}"
        )


async def _found(settings: Settings) -> list[Key]:
    async with a_database(settings) as database, database.reading() as db:
        return await repository.keys(db)


async def _rotated(
    settings: Settings, uses: Collection[Use], lead: timedelta, trusted: str | None
) -> list[Key]:
    async with a_database(settings) as database:
        return await keys.rotate(database, masters_of(settings), uses, lead, trusted)


async def _destroyed(settings: Settings, kid: str) -> Key:
    async with a_database(settings) as database:
        return await keys.destroy(database, kid)


@asynccontextmanager
async def a_database(settings: Settings) -> AsyncGenerator[Database]:
    """The database that is set, in the newest shape. Raises StartupError."""
    if settings.database_url is None:
        raise StartupError(
            "DATABASE_URL is not set. `authbus serve` prints the one of a PostgreSQL of its own"
        )
    database = open_database(settings.database_url.get_secret_value())
    try:
        await require_newest(database)
        yield database
    finally:
        await database.close()


def _print(found: Iterable[Key]) -> None:
    now = clock.now()
    show_rows([_row(key, now) for key in sorted(found, key=lambda key: (key.not_before, key.kid))])


def _row(key: Key, now: datetime) -> dict[str, Any]:
    return {
        "kid": key.kid,
        "use": key.use,
        "master": key.master,
        "not_before": key.not_before,
        "retired_at": key.retired_at,
        "state": key.state(now),
    }
