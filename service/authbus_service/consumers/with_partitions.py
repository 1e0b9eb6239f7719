"""A group's transaction, retried when the inbox has no partition for its day."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from authbus_service.consumers.group import Committed
from authbus_service.consumers.job import Job
from authbus_service.consumers.writer import Together
from authbus_service.core.logging import get_logger
from authbus_service.inbox import partitions

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WithPartitions:
    """Does what `grouping` does; `keep_partitions` makes the days that the inbox lacks."""

    grouping: Together
    keep_partitions: Callable[[], Awaitable[None]]

    async def together(self, jobs: Sequence[Job], *, wait: bool = False) -> Committed:
        """See Grouping.together."""
        try:
            return await self.grouping.together(jobs, wait=wait)
        except DBAPIError as error:
            if not partitions.is_missing(error):
                raise
        _log.warning("the inbox lacks a day")
        await self.keep_partitions()
        return await self.grouping.together(jobs, wait=wait)
