"""PostgreSQL: the declarative base, the engine, and the one way to open a transaction."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import DateTime, MetaData, Text, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from authbus_service.core.database_tls import taken_out

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
# Short, so that a stuck peer costs a retry and never a queue.
_SERVER_SETTINGS = {
    "application_name": "authbus",
    "lock_timeout": "3000",
    "statement_timeout": "10000",
    "idle_in_transaction_session_timeout": "5000",
    "timezone": "UTC",
}


class Base(DeclarativeBase):
    """Every table's base; constraints get speaking names."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {datetime: DateTime(timezone=True), str: Text}  # noqa: RUF012


@dataclass(frozen=True, slots=True)
class Database:
    """An engine and nothing else: `transaction()` is the only way to write."""

    engine: AsyncEngine

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with self.engine.begin() as db:
            yield db

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """Single reads, each seeing what is committed; no transaction is held open."""
        async with self.engine.connect() as db:
            await db.execution_options(isolation_level="AUTOCOMMIT")
            yield db

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def connect(url: str, *, connections: int = 8) -> Database:
    """A database at `url` (`postgresql+asyncpg://...`); at most `connections` at a time.

    libpq's `sslmode`, `sslrootcert`, `sslcert` and `sslkey` in the url count; the files are read
    again when they are replaced. Raises OSError when one cannot be read, ValueError for a mode
    that is not known. Prepared statements get no server-side names that outlive a transaction-mode
    pooler's lease.
    """
    address, tls = taken_out(make_url(url))
    engine = create_async_engine(
        address,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,
        pool_pre_ping=False,
        connect_args={"server_settings": _SERVER_SETTINGS, "timeout": 5, **tls},
    )
    return Database(engine)
