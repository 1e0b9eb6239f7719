"""The sweeper: ends the sessions that are over, as a group of commands would.

Users are locked first, the clock is read under the locks, events are applied and told in the same
transaction. Any number of processes may sweep: a session whose user is locked elsewhere is left for
the next time, and one that has ended is passed over.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from authbus_service.auth import repository
from authbus_service.auth.private import NOTHING
from authbus_service.auth.proof import Proof
from authbus_service.auth.sessions import repository as sessions
from authbus_service.auth.sessions.lapsing import cause, lapsed
from authbus_service.consumers.telling import applied, records
from authbus_service.consumers.transient import OUTAGE
from authbus_service.core.database import Database, name_of
from authbus_service.core.logging import get_logger
from authbus_service.core.security.masters import Masters
from authbus_service.core.sets import Writes
from authbus_service.inbox import writing
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.repository import Record

_AT_ONCE = 500

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Sweeps every so many `seconds`; `wake_relay` is called after each commit."""

    database: Database
    masters: Masters
    seconds: float
    wake_relay: Callable[[], None]

    async def run(self) -> None:
        """Sweep until cancelled; while the database is away it waits for its next turn."""
        while True:
            await asyncio.sleep(self.seconds)
            try:
                while await self.sweep():
                    pass
            except OUTAGE as error:
                _log.warning("sessions are not swept", error=name_of(error))

    async def sweep(self) -> int:
        """End what is over, so many at once; returns how many were ended."""
        async with self.database.reading() as db:
            over = await sessions.lapsed(db, _AT_ONCE)
        if not over:
            return 0
        proofs = [Proof(user_id=user_id, session_id=id_) for id_, user_id in over.items()]
        said: list[Record] = []
        async with self.database.transaction() as db:
            rows, _ = await repository.lock(db, proofs)
            at = await writing.begin(db)
            await repository.load_sessions(db, proofs, rows)
            ended = 0
            for session in sorted(rows.sessions.known.values(), key=lambda each: each.id):
                by = cause(session, self.masters)
                user = rows.users.by_id[session.user_id]
                event = lapsed(session, user, by, at)
                if event is not None:
                    said += records(by, [applied(event, NOTHING, rows, at)], at)
                    ended += 1
            writes = Writes()
            outbox.add(writes, said)
            await repository.flush(db, rows, writes)
        self.wake_relay()
        return ended
