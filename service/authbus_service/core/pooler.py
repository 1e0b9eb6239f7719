"""What is different where a pooler lends connections by the transaction, as PgBouncer does.

Between two transactions nothing stays: no prepared statement, no setting, no LISTEN. And another
server may be behind the same connection: each transaction looks which one it is.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import URL, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

_WORD, _BY_TRANSACTION = "pooler", "transaction"
# Without a name a statement is gone with the next one. asyncpg asks for both in one go, so that
# no transaction of somebody else comes in between.
UNNAMED: Mapping[str, Any] = MappingProxyType(
    {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": str,
    }
)

# A database that was restored is another one, on the same server too.
_OPENING = (
    select(func.pg_postmaster_start_time(), literal_column("oid"))
    .select_from(text("pg_database"))
    .where(literal_column("datname") == func.current_database())
)

Check = Callable[[AsyncConnection], Awaitable[None]]


def taken_out(url: URL) -> tuple[URL, bool]:
    """The address without `pooler=transaction`, and whether that was in it. Raises ValueError."""
    given = url.query.get(_WORD)
    if given not in {None, _BY_TRANSACTION}:
        raise ValueError(f"{_WORD} can be {_BY_TRANSACTION} and nothing else")
    return url.difference_update_query([_WORD]), given is not None


@dataclass(slots=True)
class Lending:
    """Begins transactions on connections that are lent.

    `limits` are settings for each transaction; `checks` are asked whenever another server, or the
    same one after a restart, or another database is behind the pooler.
    """

    limits: Mapping[str, str]
    checks: list[Check] = field(default_factory=list[Check])
    _server: tuple[datetime, int] | None = None

    async def begin(self, db: AsyncConnection) -> None:
        """Make a transaction that has just begun like one on a connection of our own."""
        local = [func.set_config(name, value, True) for name, value in self.limits.items()]  # noqa: FBT003
        started, database, *_ = (await db.execute(_OPENING.add_columns(*local))).one()
        await self._look(db, (started, database))

    async def look(self, db: AsyncConnection) -> None:
        """Ask before single reads too whether another server is there."""
        started, database = (await db.execute(_OPENING)).one()
        await self._look(db, (started, database))

    async def _look(self, db: AsyncConnection, server: tuple[datetime, int]) -> None:
        if server != self._server:
            for check in self.checks:
                await check(db)
            self._server = server


async def is_lent(db: AsyncConnection) -> bool:
    """Whether somebody else's connection does our work: a pooler makes up its own process ids."""
    connection: Any = (await db.get_raw_connection()).driver_connection
    return bool(connection.get_server_pid() != await db.scalar(select(func.pg_backend_pid())))
