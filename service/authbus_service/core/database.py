"""PostgreSQL: the declarative base, the engine, and the one way to open a transaction."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import URL, DateTime, MetaData, Text, event, func, make_url, select
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from authbus_service.core import clock, pooler
from authbus_service.core.connection import Connection
from authbus_service.core.database_tls import taken_out
from authbus_service.core.pooler import Lending

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
_SESSION = {"application_name": "authbus", "timezone": "UTC"}
# Milliseconds. Short, so that a stuck peer costs a retry and never a queue.
_LIMITS = {
    "lock_timeout": "3000",
    "statement_timeout": "10000",
    "idle_in_transaction_session_timeout": "5000",
}
# A plan is made for a table as it is at first, and kept: one that reads a table from end to end
# since it is empty would do so for each batch of a backlog. What we ask often has an index.
_PLANS = {"enable_seqscan": "off", "jit": "off"}
_STATEMENT_SECONDS = 10.0
# For who reads tables from end to end while nobody waits behind it. Locks are asked for as ever.
_PATIENT = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
# What is raised while PostgreSQL is away; a TimeoutError is an OSError too.
DATABASE_AWAY = (SQLAlchemyError, OSError)
_PLACE_WORDS = ("host", "port", "database")
Made = Callable[[AdaptedConnection], None]


class Base(DeclarativeBase):
    """Every table's base; constraints get speaking names."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {datetime: DateTime(timezone=True), str: Text}  # noqa: RUF012


@dataclass(frozen=True, slots=True)
class Database:
    """An engine: `transaction()` is the only way to write. `lending` is set behind a pooler.

    `made` are told of each new connection; what one of them raises, its asker gets.
    """

    engine: AsyncEngine
    lending: Lending | None = None
    made: list[Made] = field(default_factory=list[Made], compare=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with self.engine.begin() as db:
            if self.lending is not None:
                await self.lending.begin(db)
            yield db

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """Single reads, each seeing what is committed; no transaction is held open."""
        async with self.engine.connect() as db:
            await db.execution_options(isolation_level="AUTOCOMMIT")
            if self.lending is not None:
                await self.lending.look(db)
            yield db

    def tell(self, connection: AdaptedConnection, _record: object) -> None:
        """Tell of a new connection; SQLAlchemy's own listeners must not change meanwhile."""
        for each in tuple(self.made):
            each(connection)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


async def clock_of(db: AsyncConnection) -> datetime:
    """What the database's clock shows at this moment: it is one for all processes."""
    return (await db.scalars(select(func.clock_timestamp()))).one()


async def clock_ahead(db: AsyncConnection) -> timedelta:
    """How far this process's clock is ahead of the database's, exact to half a round trip."""
    before = clock.now()
    at = await clock_of(db)
    return before + (clock.now() - before) / 2 - at


def connect(url: str, *, connections: int = 8, patient: bool = False) -> Database:
    """A database at `url` (`postgresql+asyncpg://...`); at most `connections` at a time.

    A statement may take as long as it needs where that is `patient`. libpq's `sslmode`,
    `sslrootcert`, `sslcert` and `sslkey` in the url count; the files are read again when they are
    replaced. With `pooler=transaction` nothing is relied on that a connection
    would have to keep between two transactions. Raises OSError when a file cannot be read,
    ValueError for a mode that is not known.
    """
    address, tls = taken_out(make_url(url))
    address, lent = pooler.taken_out(address)
    limits = _LIMITS | _PATIENT if patient else _LIMITS
    kept = {"server_settings": {**_SESSION, **limits, **_PLANS}}
    brought = {
        **pooler.UNNAMED,
        "server_settings": _SESSION,
        "command_timeout": None if patient else _STATEMENT_SECONDS,
    }
    engine = create_async_engine(
        address,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,
        # Whoever waited for a lock has to see what was done under it, whatever the server's own is.
        isolation_level="READ COMMITTED",
        pool_pre_ping=False,
        connect_args={
            "timeout": 5,
            "connection_class": Connection,
            **(brought if lent else kept),
            **tls,
        },
    )
    database = Database(engine, Lending(limits) if lent else None)
    event.listen(engine.sync_engine, "connect", database.tell)
    return database


def place_of(url: str | URL) -> str:
    """An address as host, port and database alone: secrets may stand anywhere else in it.

    Of a password with an @ in it, the end is taken for a part of the host.
    """
    whole = make_url(url)
    return URL.create(
        whole.get_backend_name(),
        host=whole.host and whole.host.rpartition("@")[2],
        port=whole.port,
        database=whole.database,
        query={word: whole.query[word] for word in _PLACE_WORDS if word in whole.query},
    ).render_as_string()


def cause_of(error: BaseException) -> BaseException | None:
    """What asyncpg raised, where SQLAlchemy has wrapped it."""
    return error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else None


def name_of(error: BaseException) -> str:
    """What an error is called: PostgreSQL's own word where SQLAlchemy has wrapped it."""
    return type(cause_of(error) or error).__name__
