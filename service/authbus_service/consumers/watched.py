"""A group's transaction, watched."""

from collections.abc import Sequence
from dataclasses import dataclass

from authbus_service.consumers.group import Committed
from authbus_service.consumers.job import Job
from authbus_service.consumers.writer import Together
from authbus_service.core.watch import Watch
from authbus_service.inbox.repository import OvertakenError


@dataclass(frozen=True, slots=True)
class Watched:
    """Does what `grouping` does, and tells of it. `name` is the writer's."""

    grouping: Together
    watch: Watch
    name: str

    async def together(self, jobs: Sequence[Job], *, wait: bool = False) -> Committed:
        """See Grouping.together."""
        try:
            with self.watch.group(self.name, lambda: [job.span for job in jobs]):
                done = await self.grouping.together(jobs, wait=wait)
        except OvertakenError:
            raise
        except Exception:
            self.watch.again("group")
            raise
        self.watch.metrics.group_size.of[self.name].see(len(done.answers))
        return done
