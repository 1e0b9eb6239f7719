"""What a process does now and then: partitions, what to forget, the audit's sums, its clock."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.auth.codes import repository as codes
from authbus_service.auth.guessing import repository as guessing
from authbus_service.auth.guessing.limits import MEMORY
from authbus_service.auth.sessions import repository as sessions
from authbus_service.consumers.auditing import close_minutes
from authbus_service.consumers.transient import OUTAGE
from authbus_service.core.clock import LONG_AGO
from authbus_service.core.database import Database, clock_ahead, clock_of, name_of
from authbus_service.core.logging import get_logger
from authbus_service.inbox import partitions

_LOOK_SECONDS = 60.0
_FORGET_SECONDS = 3600.0
_CODES_KEPT = timedelta(days=7)
_SESSIONS_KEPT = timedelta(days=30)
_ATTEMPTS_KEPT = MEMORY + timedelta(hours=1)
_AT_ONCE = 5000
_WRONG = timedelta(seconds=5)
_MINUTE = timedelta(minutes=1)

_log = get_logger(__name__)


class _Forget(Protocol):
    async def __call__(
        self, db: AsyncConnection, *, since: datetime, before: datetime, limit: int
    ) -> datetime | None: ...


@dataclass(slots=True)
class Housekeeping:
    """Runs for ever, by the database's clock; what fails is done at the next look.

    At the last look this process's clock was so far `ahead` of it.
    """

    database: Database
    ahead: timedelta = timedelta()

    async def run(self) -> None:
        """See to the partitions at each look, for a machine may have slept; forget each hour."""
        forgets_at = 0.0
        while True:
            await self._done(self.look_at_the_clock)
            await asyncio.sleep(_LOOK_SECONDS)
            await self._done(self.keep_partitions)
            if monotonic() >= forgets_at and await self.forget():
                forgets_at = monotonic() + _FORGET_SECONDS

    async def sum_up(self) -> None:
        """Close the audit's minutes that are over."""
        while True:
            await asyncio.sleep(_MINUTE.total_seconds())
            try:
                await self.close_minutes()
            except OUTAGE as error:
                _log.warning("the audit waits", error=name_of(error))

    async def keep_partitions(self) -> None:
        """Make the inbox's partitions that will be needed, drop old ones."""
        async with self.database.transaction() as db:
            await partitions.keep(db)

    async def look_at_the_clock(self) -> None:
        """What only reads is judged by this process's clock, so somebody has to know."""
        async with self.database.reading() as db:
            self.ahead = await clock_ahead(db)
        if abs(self.ahead) > _WRONG:
            _log.warning("the clock is wrong", ahead_seconds=self.ahead.total_seconds())

    async def forget(self) -> bool:
        """Let go of codes and guesses that count no more, and of sessions that ended long ago.

        What fails keeps nothing else. Returns whether all was done.
        """
        parts = (self._forget_codes, self._forget_attempts, self._forget_sessions)
        return all([await self._done(each) for each in parts])

    async def _forget_codes(self) -> None:
        async with self.database.transaction() as db:
            await codes.forget(db, before=await clock_of(db) - _CODES_KEPT)

    async def _forget_attempts(self) -> None:
        await self._in_slices(guessing.forget, _ATTEMPTS_KEPT)

    async def _forget_sessions(self) -> None:
        await self._in_slices(sessions.forget, _SESSIONS_KEPT)

    async def _in_slices(self, forget: _Forget, kept: timedelta) -> None:
        """Slice by slice, so that no transaction is long."""
        since: datetime | None = LONG_AGO
        while since is not None:
            async with self.database.transaction() as db:
                before = await clock_of(db) - kept
                since = await forget(db, since=since, before=before, limit=_AT_ONCE)

    async def _done(self, part: Callable[[], Awaitable[None]]) -> bool:
        """Whether it could be done."""
        try:
            await part()
        except OUTAGE as error:
            _log.warning("housekeeping waits", error=name_of(error))
            return False
        return True

    async def close_minutes(self) -> None:
        """Close the audit's minutes that nobody counts in any more."""
        async with self.database.reading() as db:
            before = await clock_of(db) - 2 * _MINUTE
        await close_minutes(self.database, before=before)
