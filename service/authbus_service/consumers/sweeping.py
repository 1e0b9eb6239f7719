"""The sweeper: ends the sessions that are over.

Any number of processes may sweep: a session whose user is locked elsewhere is left for the next
time, and one that has ended is passed over.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from authbus_service.auth.sessions import repository as sessions
from authbus_service.auth.sessions.lapsing import lapsed
from authbus_service.consumers.ending import end_sessions
from authbus_service.consumers.transient import OUTAGE
from authbus_service.core.database import Database, name_of
from authbus_service.core.logging import get_logger
from authbus_service.core.security.masters import Masters
from authbus_service.inbox import writing

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
        async with self.database.transaction() as db:
            ends = partial(lapsed, self.masters)
            ended = await end_sessions(db, over, ends, writing.begin, wait=False)
        self.wake_relay()
        return ended
