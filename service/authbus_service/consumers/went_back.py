"""Is the database as new as all that is known of it? If not, an older copy was restored.

Three things tell: Kafka's offsets, which follow the fence; the events that were said, which follow
the users' rows; and, in a process that runs, the commands that it has committed itself. Offsets and
events are looked at before partitions are read, events again when PostgreSQL is another server than
before: others may have committed there what this process never heard of.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Connection, UndefinedTableError
from sqlalchemy import func, select
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.auth.users import repository as users
from authbus_service.consumers.tail import newest_events
from authbus_service.core.database import Database
from authbus_service.core.ids import id_time
from authbus_service.inbox import fence, partitions
from authbus_service.inbox.fence import Place

_WITNESSES = 16
_SAID_SECONDS = 10.0
_LOST = "what this process has committed is not there"
_SERVER = "SELECT pg_postmaster_start_time() AS started, pg_is_in_recovery() AS follows"
_SEQUENCES = """
SELECT id, sequence FROM users WHERE id = ANY($1::uuid[])
UNION ALL SELECT id, sequence FROM erased_users WHERE id = ANY($1::uuid[])
"""
_FOUND = """
SELECT clock_timestamp() AS at, ARRAY(
    SELECT id FROM inbox
    JOIN unnest($1::timestamptz[], $2::uuid[]) AS asked(t, i) ON (time, id) = (t, i)
) AS ids
"""


class DatabaseWentBackError(RuntimeError):
    """The database was restored from an older copy, or lost its last commits in a fail-over."""

    def __init__(self, how: str) -> None:
        """`how` says what is known and not in it."""
        super().__init__(
            f"the database went back in time: {how}. Nothing is handled. Run: authbus recover"
        )


async def require_no_older(database: Database, committed: Mapping[Place, int]) -> None:
    """Raise DatabaseWentBackError when Kafka has committed more than the database knows.

    The offsets must be read before this call: who works meanwhile moves the fence first.
    """
    async with database.reading() as db:
        known = await fence.read(db)
    for place, offset in committed.items():
        if offset > (below := known.get(place, 0)):
            raise DatabaseWentBackError(
                f"{place[0]}/{place[1]} is committed up to {offset}, the database knows {below}"
            )


async def require_no_less(database: Database, said: Mapping[UUID, int]) -> None:
    """Raise DatabaseWentBackError when a user's newest event (user -> sequence) is not known."""
    async with database.reading() as db:
        known = await users.sequences(db, said)
    if missing := _less(known, said):
        raise DatabaseWentBackError(missing)


def _less(known: Mapping[UUID, int], said: Mapping[UUID, int]) -> str | None:
    """What was said and is not known. Users are named by nobody but their ids."""
    for user_id, sequence in said.items():
        if sequence > (so_far := known.get(user_id, 0)):
            return f"event {sequence} of user {user_id} was said, the database knows {so_far}"
    return None


@dataclass(frozen=True, slots=True)
class Guard:
    """Asked before partitions are read, with what Kafka has committed of them."""

    database: Database
    servers: str
    namespace: str
    security: Mapping[str, Any] = field(default_factory=dict[str, Any])

    async def __call__(self, committed: Mapping[Place, int]) -> None:
        """Raise DatabaseWentBackError when the database knows less than Kafka."""
        await require_no_less(self.database, await self.said())
        await require_no_older(self.database, committed)

    async def said(self) -> Mapping[UUID, int]:
        """The newest events of users, as Kafka has them: user -> sequence."""
        return await newest_events(self.servers, self.security, self.namespace)


class Witnesses:
    """The newest commands that this process has committed, and on another server all events.

    Each new connection must know them. Behind a pooler each other server must, which may come
    without a new connection. Commits are lost from the end, so that a few of the newest speak for
    all. A server that only follows another one is none of ours: it may lose what we saw in it.
    """

    def __init__(
        self,
        database: Database,
        said: Callable[[], Awaitable[Mapping[UUID, int]]],
        went_back: Callable[[DatabaseWentBackError], None],
    ) -> None:
        """`said` reads the newest events (see Guard).

        `went_back` is told once a connection knows too little; the connection is given up.
        """
        self._ids = deque[UUID](maxlen=_WITNESSES)
        self._said, self._went_back = said, went_back
        self._database = database
        self._asks = False
        self._server: datetime | None = None
        self._one = asyncio.Lock()

    def note(self, ids: Iterable[UUID]) -> None:
        """A group was committed."""
        if newest := max(ids, default=None):
            self._ids.append(newest)

    async def watch(self) -> None:
        """Ask every connection that is made from now on; of this server the guard was asked."""
        async with self._database.reading() as db:
            self._server = (await db.scalars(select(func.pg_postmaster_start_time()))).one()
        self._asks = True
        self._database.made.append(self._connected)
        if self._database.lending is not None:
            self._database.lending.checks.append(self._lent)

    def leave(self) -> None:
        """Ask no more."""
        self._asks = False

    def _connected(self, connection: AdaptedConnection) -> None:
        if self._asks:
            connection.run_async(self._judge)

    async def _lent(self, db: AsyncConnection) -> None:
        connection: Any = (await db.get_raw_connection()).driver_connection
        if self._asks:
            await self._judge(connection)

    async def _judge(self, connection: "Connection[Any]") -> None:
        """Raise OSError, which passes for whoever asks, where this connection is not to be used."""
        try:
            missing = await self._missing(connection)
        except UndefinedTableError:
            missing = _LOST
        except Exception as error:  # asyncpg has kinds of its own for what is lost, Kafka others
            raise ConnectionResetError(f"lost while it was made: {type(error).__name__}") from error
        if missing:
            gone = DatabaseWentBackError(missing)
            self._went_back(gone)
            raise ConnectionRefusedError(str(gone))

    async def _missing(self, connection: "Connection[Any]") -> str | None:
        """What is known and not in the database that is behind this connection."""
        (server,) = await connection.fetch(_SERVER)
        if server["follows"]:
            raise ConnectionRefusedError("this server follows another one")
        if not await self._knows_all(connection):
            return _LOST
        async with self._one:
            if server["started"] == self._server:
                return None
            async with asyncio.timeout(_SAID_SECONDS):
                said = await self._said()
            rows = await connection.fetch(_SEQUENCES, list(said))
            missing = _less({row["id"]: row["sequence"] for row in rows}, said)
            if missing is None:
                self._server = server["started"]
            return missing

    async def _knows_all(self, connection: "Connection[Any]") -> bool:
        asked = {each: at for each in self._ids if (at := id_time(each))}
        if not asked:
            return True
        (found,) = await connection.fetch(_FOUND, list(asked.values()), list(asked))
        since = partitions.oldest(found["at"])
        return {each for each, at in asked.items() if at >= since} <= set(found["ids"])
