"""From which position on a look at the outbox begins: below it there is no row, nor will there be.

PostgreSQL keeps deleted rows for as long as anybody may still see them: a dump, or a transaction
that somebody forgot. A look that begins at the first position reads all of these, and with some
millions of them takes longer than anybody waits for it.

Positions are given out in their order, to transactions that hold a lock on the table from before
that until they end. So once those have ended that held it when a row had been seen, no position
below that row's comes any more, and the floor is the lowest that is there then. It lies in the
database, and goes back in time with it. What is not so on another server (migration 0010), or after
a restart of this one, is looked at anew.
"""

import asyncio
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Text, bindparam, func, select, text, update

from authbus_service.core.database import DATABASE_AWAY, Database, name_of
from authbus_service.core.installation import Installation
from authbus_service.core.logging import get_logger
from authbus_service.outbox.models import OutboxRow

BEGIN = func.outbox_begin(type_=BigInteger)
STEP = 10_000
_SECONDS = 1.0
_WRITERS = text("""
    SELECT pg_postmaster_start_time() AS started, ARRAY(
        SELECT virtualtransaction FROM pg_locks
        WHERE relation = 'outbox'::regclass AND mode = 'RowExclusiveLock'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS writers
""").columns(writers=ARRAY(Text()))
_LOWEST = select(func.min(OutboxRow.position)).where(OutboxRow.position >= BEGIN).scalar_subquery()
_MOVABLE = func.least(bindparam("beyond", type_=BigInteger), _LOWEST)
_MOVE = update(Installation).values(outbox_floor=func.greatest(_MOVABLE, BEGIN)).where(BEGIN >= 0)

_log = get_logger(__name__)


class Floor:
    """Moved up each time that so many rows more have been seen as make a look slow."""

    def __init__(self, database: Database) -> None:
        """Nothing is known of this server yet."""
        self._database = database
        self._started: datetime | None = None
        self._highest = self._below = 0
        self._next = 1
        self._writers: frozenset[str] | None = None

    def seen(self, position: int) -> None:
        """A row is there, and so committed."""
        self._highest = max(self._highest, position)

    async def keep(self) -> None:
        """Move it for ever, each second a step."""
        while True:
            await asyncio.sleep(_SECONDS)
            try:
                await self.move()
            except DATABASE_AWAY as error:
                _log.warning("a look at the outbox begins where it did", error=name_of(error))

    async def move(self) -> None:
        """Note who writes, or, once all of these have ended, move it."""
        highest = self._highest
        if self._writers is None and highest < self._next:
            return
        async with self._database.transaction() as db:
            started, found = (await db.execute(_WRITERS)).one()
            writers = frozenset(found)
            if started != self._started:
                self._started, self._writers = started, None
                self._highest, self._next = 0, 1
            elif self._writers is None:
                self._below, self._writers = highest, writers
            elif self._writers.isdisjoint(writers):
                await db.execute(_MOVE, {"beyond": self._below + 1})
                self._next, self._writers = self._below + STEP, None
