"""Is the database as new as all that is known of it? If not, an older copy was restored.

Three things tell: Kafka's offsets, which follow the fence; the events that were said, which follow
the users' rows; and, in a process that runs, the commands that it has committed itself.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from uuid import UUID

from asyncpg import Connection, UndefinedTableError
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.auth.users import repository as users
from authbus_service.consumers.tail import newest_events
from authbus_service.core.database import Database
from authbus_service.core.ids import id_time
from authbus_service.inbox import fence, partitions
from authbus_service.inbox.fence import Place

_WITNESSES = 16
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
    """Raise DatabaseWentBackError when a user's newest event (user -> sequence) is not known.

    Users are named by nobody but their ids.
    """
    async with database.reading() as db:
        known = await users.sequences(db, said)
    for user_id, sequence in said.items():
        if sequence > (so_far := known.get(user_id, 0)):
            raise DatabaseWentBackError(
                f"event {sequence} of user {user_id} was said, the database knows {so_far}"
            )


@dataclass(frozen=True, slots=True)
class Guard:
    """Asked before partitions are read, with what Kafka has committed of them."""

    database: Database
    servers: str
    namespace: str
    security: Mapping[str, Any] = field(default_factory=dict[str, Any])

    async def __call__(self, committed: Mapping[Place, int]) -> None:
        """Raise DatabaseWentBackError when the database knows less than Kafka."""
        said = await newest_events(self.servers, self.security, self.namespace)
        await require_no_less(self.database, said)
        await require_no_older(self.database, committed)


class Witnesses:
    """The newest commands that this process has committed. Each new connection must know them.

    Behind a pooler each other server must, which may come without a new connection. Commits are
    lost from the end, so that a few of the newest speak for all.
    """

    def __init__(
        self, database: Database, went_back: Callable[[DatabaseWentBackError], None]
    ) -> None:
        """`went_back` is told once a connection does not know one; the connection is given up."""
        self._ids = deque[UUID](maxlen=_WITNESSES)
        self._went_back = went_back
        self._database = database
        self._asks = False

    def note(self, ids: Iterable[UUID]) -> None:
        """A group was committed."""
        if newest := max(ids, default=None):
            self._ids.append(newest)

    def watch(self) -> None:
        """Ask every connection that is made from now on."""
        self._asks = True
        self._database.made.append(self._connected)
        if self._database.lending is not None:
            self._database.lending.checks.append(self._lent)

    def leave(self) -> None:
        """Ask no more."""
        self._asks = False

    def _connected(self, connection: AdaptedConnection) -> None:
        if not self._asks:
            return
        try:
            known = connection.run_async(self._knows_all)
        except Exception as error:  # asyncpg has kinds of its own for what is lost half-way
            raise ConnectionResetError(f"lost while it was made: {type(error).__name__}") from error
        if not known:
            self._refuse()

    async def _lent(self, db: AsyncConnection) -> None:
        connection: Any = (await db.get_raw_connection()).driver_connection
        if self._asks and not await self._knows_all(connection):
            self._refuse()

    def _refuse(self) -> NoReturn:
        error = DatabaseWentBackError("what this process has committed is not there")
        self._went_back(error)
        raise ConnectionRefusedError(str(error))

    async def _knows_all(self, connection: "Connection[Any]") -> bool:
        asked = {each: at for each in self._ids if (at := id_time(each))}
        if not asked:
            return True
        try:
            (found,) = await connection.fetch(_FOUND, list(asked.values()), list(asked))
        except UndefinedTableError:
            return False
        since = partitions.oldest(found["at"])
        return {each for each, at in asked.items() if at >= since} <= set(found["ids"])
