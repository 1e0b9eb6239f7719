"""A writer drains whatever is ready into one group, again and again.

There is one for hashed commands and one for cheap ones, so that neither waits for the other.
"""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

from authbus_service.consumers.group import Grouping
from authbus_service.consumers.job import Job
from authbus_service.consumers.transient import is_transient
from authbus_service.core.database import Database
from authbus_service.core.logging import get_logger
from authbus_service.inbox import repository as inbox

_LARGEST = 256
_BACK_OFF = 0.2
_LONGEST_BACK_OFF = 5.0
_BUSY_USER = 0.005

_log = get_logger(__name__)


class Writer:
    """Commits jobs in groups. `window` says how many seconds a group may fill at this moment."""

    def __init__(
        self,
        database: Database,
        grouping: Grouping,
        *,
        window: Callable[[], float],
        committed: Callable[[Sequence[Job]], None],
    ) -> None:
        """`committed` is told of each group that went through."""
        self._database = database
        self._grouping = grouping
        self._window = window
        self._committed = committed
        self._queue: list[Job] = []
        self._there = asyncio.Event()
        self._back_off = _BACK_OFF

    def put(self, job: Job) -> None:
        """Queue a job; its `result` is set when it is committed, or why it cannot be."""
        self._queue.append(job)
        self._there.set()

    async def run(self) -> None:
        """Write groups until cancelled."""
        while True:
            await self._there.wait()
            if window := self._window():
                await asyncio.sleep(window)
            group = self._take()
            if not self._queue:
                self._there.clear()
            await self.settle(group)

    def _take(self) -> list[Job]:
        """The next group: no id and no address twice, and a job that must wait goes alone."""
        if self._queue and self._queue[0].misses:
            patient = self._queue.pop(0)
            return [patient]
        group: list[Job] = []
        left: list[Job] = []
        seen: set[UUID | str] = set()
        for job in self._queue:
            keys: set[UUID | str] = {job.request.id}
            if job.proof.claim is not None:
                keys.add(job.proof.claim.canonical)
            if len(group) < _LARGEST and not keys & seen:
                group.append(job)
                seen |= keys
            else:
                left.append(job)
        self._queue = left
        return group

    async def settle(self, group: Sequence[Job]) -> None:
        """Commit a group; halve it when it fails, until the one that fails is alone."""
        if not group:
            return
        try:
            done = await self._grouping.together(group)
        except inbox.OvertakenError as overtaken:
            await self._overtaken(group, overtaken.ids)
        except Exception as error:  # noqa: BLE001 - an unknown COMMIT too: the claim is the look-up
            await self._failed(group, error)
        else:
            self._back_off = _BACK_OFF
            self._committed(list(done))
            for job in group:
                if job in done:
                    _resolve(job, done[job])
                else:
                    await self._later(job)

    async def _overtaken(self, group: Sequence[Job], ids: set[UUID]) -> None:
        async with self._database.reading() as db:
            known = await inbox.known(db, ids)
        for job in group:
            if job.request.id in known:
                _resolve(job, known[job.request.id])
        await self.settle([job for job in group if job.request.id not in known])

    async def _failed(self, group: Sequence[Job], error: Exception) -> None:
        transient = is_transient(error)
        _log.warning("group failed", size=len(group), error=type(error).__name__, again=transient)
        if transient:
            await asyncio.sleep(self._back_off)
            self._back_off = min(2 * self._back_off, _LONGEST_BACK_OFF)
        if len(group) == 1 and not transient:
            if not group[0].result.done():
                group[0].result.set_exception(error)
            return
        middle = len(group) // 2
        for half in (group[:middle], group[middle:]):
            await self.settle(half)

    async def _later(self, job: Job) -> None:
        job.misses += 1
        await asyncio.sleep(_BUSY_USER)
        self.put(job)


def _resolve(job: Job, result: object) -> None:
    if not job.result.done():
        job.result.set_result(result)  # pyright: ignore[reportArgumentType]
