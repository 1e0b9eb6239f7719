"""What a process does now and then: the inbox's partitions, what to forget, the audit's sums."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from authbus_service.auth.codes import repository as codes
from authbus_service.auth.guessing import repository as guessing
from authbus_service.consumers.auditing import close_minutes
from authbus_service.consumers.transient import OUTAGE
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.logging import get_logger
from authbus_service.inbox import partitions

_EVERY = timedelta(hours=1)
_CODES_KEPT = timedelta(days=7)
_MINUTE = timedelta(minutes=1)

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Runs for ever; what fails is done the next time."""

    database: Database

    async def run(self) -> None:
        """Keep house each hour."""
        while True:
            await asyncio.sleep(_EVERY.total_seconds())
            try:
                await self.keep_partitions()
                async with self.database.transaction() as db:
                    await guessing.sweep(db, clock.now())
            except OUTAGE as error:
                _log.warning("housekeeping waits", error=type(error).__name__)

    async def sum_up(self) -> None:
        """Close the audit's minutes that are over."""
        while True:
            await asyncio.sleep(_MINUTE.total_seconds())
            try:
                await close_minutes(self.database, before=clock.now() - 2 * _MINUTE)
            except OUTAGE as error:
                _log.warning("the audit waits", error=type(error).__name__)

    async def keep_partitions(self) -> None:
        """Make the inbox's partitions that will be needed, drop old ones; forget old codes."""
        async with self.database.transaction() as db:
            await partitions.keep(db, clock.now())
            await codes.forget(db, before=clock.now() - _CODES_KEPT)
