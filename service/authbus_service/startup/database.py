"""The database answers and has the shape that this program expects."""

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from authbus_service.core.database import DATABASE_AWAY, Database, connect, place_of
from authbus_service.core.migrations import TablesHeldError, current, migrate, newest
from authbus_service.core.pooler import is_lent
from authbus_service.startup.errors import StartupError

_REFUSED_BY_POOLER = "unsupported startup parameter"
_POOLER = (
    "between this program and PostgreSQL is a pooler. Say so: put pooler=transaction behind the ? "
    "of DATABASE_URL, which is right where it lends by session too"
)
_HELD = (
    "the database is not migrated: somebody held one of its tables for a minute, and all works as "
    "before. Find out who, in pg_stat_activity the oldest xact_start; end that, and run authbus "
    "migrate again"
)


def open_database(url: str, *, patient: bool = False) -> Database:
    """A database at this address; raises StartupError when it is none of PostgreSQL's.

    Where that is `patient` a statement may take as long as it needs.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.get_backend_name() != "postgresql":
        raise StartupError(
            "DATABASE_URL is no address. It must be like postgresql://user:password@host:5432/name"
        )
    address = parsed.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
    try:
        return connect(address, patient=patient)
    except ValueError as error:
        raise StartupError(f"DATABASE_URL: {error}. Mend the address") from None
    except OSError as error:
        told = f"{error.filename or 'a certificate or key'}: {error.strerror or error}"
        raise StartupError(f"DATABASE_URL: {told}. Mend the file, or name another") from None


async def bring_to_newest(database: Database) -> str:
    """Migrate; returns the revision. Raises StartupError when the database cannot be used."""
    await _revision(database)
    try:
        return await migrate(database)
    except TablesHeldError:
        raise StartupError(_HELD) from None


async def require_newest(database: Database) -> None:
    """Raise StartupError when the database does not answer or lacks a migration.

    A newer shape is fine: a migration leaves the version before it at work, so that one can stay
    beside the new one, and come back.
    """
    found, expected = await _revision(database), newest()
    if not found:
        raise StartupError("the database has no tables yet. Make them: authbus migrate")
    if found < expected:
        raise StartupError(
            f"the database is at revision {found}, this program needs {expected}. "
            "Bring it there: authbus migrate"
        )


async def _revision(database: Database) -> str:
    try:
        async with database.transaction() as db:
            undeclared = database.lending is None and await is_lent(db)
        if undeclared:
            raise StartupError(_POOLER)
        return await current(database)
    except (*DATABASE_AWAY, asyncpg.PostgresError) as error:
        reason = str(getattr(error, "orig", error)) or type(error).__name__
        if _REFUSED_BY_POOLER in reason:
            raise StartupError(_POOLER) from None
        where = place_of(database.engine.url)
        raise StartupError(
            f"the database at {where} cannot be used: {reason}. "
            "Is PostgreSQL there, and is DATABASE_URL right?"
        ) from None
