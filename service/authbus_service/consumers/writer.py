"""A writer drains whatever is ready into one group, again and again.

There is one for hashed commands and one for cheap ones, so that neither waits for the other. A
command whose user stays locked elsewhere waits in a transaction of its own, beside the groups. One
that alone fails in passing is tried again beside them too, a few at a time however many they are,
lest it hold up all others for as long as it does.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Protocol
from uuid import UUID

from authbus_service.consumers.company import Company
from authbus_service.consumers.group import Committed
from authbus_service.consumers.job import Job, Result
from authbus_service.consumers.transient import is_transient
from authbus_service.core.database import name_of
from authbus_service.core.logging import get_logger
from authbus_service.inbox.repository import Handled, OvertakenError
from authbus_service.inbox.writing import RecoveryRunsError

_LARGEST = 256
_BACK_OFF = 0.2
_LONGEST_BACK_OFF = 5.0
_BUSY_USER = 0.005
_PATIENCE = 3
_PATIENT = 2
# This many of those that fail in passing are tried at a time, the others stand in line.
_TRYING = 8

_log = get_logger(__name__)


class Together(Protocol):
    """Commits a group; see Grouping."""

    async def together(self, jobs: Sequence[Job], *, wait: bool = False) -> Committed: ...


class Writer:
    """Commits jobs in groups, in the order in which they come."""

    def __init__(
        self,
        grouping: Together,
        *,
        known: Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, Handled]]],
        committed: Callable[[Committed], None],
        company: Company | None = None,
    ) -> None:
        """`known` reads what was handled elsewhere, `committed` is told of each group.

        `company` knows who is on the way to a group; without it nobody is waited for.
        """
        self._grouping = grouping
        self._known = known
        self.company = company or Company()
        self._committed = committed
        self._back_off = _BACK_OFF
        self._queue: list[Job] = []
        self._there = asyncio.Event()
        self._waiting: set[asyncio.Task[None]] = set()
        self._failing = deque[Job]()
        self._trying: set[asyncio.Task[None]] = set()
        self._may_wait = asyncio.Semaphore(_PATIENT)

    def put(self, job: Job) -> None:
        """Queue a job; its `result` is set when it is committed, or why it cannot be."""
        self._queue.append(job)
        self._there.set()
        self.company.see(len(self._queue))

    async def run(self) -> None:
        """Write groups until cancelled."""
        try:
            while True:
                await self._there.wait()
                await self.company.gathered(len(self._queue))
                group = self._take()
                self.company.taken()
                if not self._queue:
                    self._there.clear()
                await self._settle(group)
        finally:
            waiting = [*self._waiting, *self._trying]
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _take(self) -> list[Job]:
        """The next group: no id and no address twice."""
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

    async def _settle(self, group: Sequence[Job], *, wait: bool = False) -> None:
        """Commit a group; halve it when it fails, until the one that fails is alone."""
        parts = deque([group])
        while parts:
            if part := parts.popleft():
                parts.extendleft(reversed(await self._attempt(part, wait=wait)))

    async def _attempt(self, part: Sequence[Job], *, wait: bool) -> list[Sequence[Job]]:
        """Commit; returns what is left to be tried, in order."""
        turn = self._may_wait if wait else nullcontext()
        try:
            try:
                async with turn:
                    done = await self._grouping.together(part, wait=wait)
            except OvertakenError as overtaken:
                return [await self._overtaken(part, overtaken.ids)]
        except RecoveryRunsError:
            raise
        except Exception as error:  # noqa: BLE001 - an unknown COMMIT too: the claim is the look-up
            return await self._failed(part, error, waited=wait)
        self._back_off = _BACK_OFF
        self._committed(done)
        for job in part:
            if job in done.answers:
                _resolve(job, done.answers[job])
            else:
                self._later(job)
        return []

    async def _overtaken(self, part: Sequence[Job], ids: Collection[UUID]) -> list[Job]:
        """Answer what was handled elsewhere; returns the others."""
        known = await self._known(list(ids))
        for job in part:
            if job.request.id in known:
                _resolve(job, known[job.request.id])
        return [job for job in part if job.request.id not in known]

    async def _failed(
        self, part: Sequence[Job], error: Exception, *, waited: bool
    ) -> list[Sequence[Job]]:
        again = is_transient(error)
        _log.warning("group failed", size=len(part), error=name_of(error), again=again)
        if again:
            await asyncio.sleep(self._back_off)
            self._back_off = min(2 * self._back_off, _LONGEST_BACK_OFF)
        if len(part) > 1:
            middle = len(part) // 2
            return [part[:middle], part[middle:]]
        if again and waited:
            return [part]
        if again:
            self._aside(part[0])
        elif not part[0].result.done():
            part[0].result.set_exception(error)
        return []

    def _later(self, job: Job) -> None:
        """Into the next group, or, after some misses, alone and patiently beside the groups."""
        job.misses += 1
        if job.misses < _PATIENCE:
            asyncio.get_running_loop().call_later(_BUSY_USER, self.put, job)
        else:
            self._beside(job)

    def _beside(self, job: Job) -> None:
        _keep(self._waiting, self._patiently(job))

    async def _patiently(self, job: Job) -> None:
        try:
            await self._settle([job], wait=True)
        except RecoveryRunsError:
            self.put(job)

    def _aside(self, job: Job) -> None:
        """Out of the groups' way: the next group shows whether it is the database that is away."""
        self._failing.append(job)
        if sum(not each.done() for each in self._trying) < _TRYING:
            _keep(self._trying, self._try_failing())

    async def _try_failing(self) -> None:
        """Each in its turn, and behind all others again when it fails again."""
        while self._failing:
            job = self._failing.popleft()
            try:
                for left in await self._attempt([job], wait=True):
                    self._failing.extend(left)
            except RecoveryRunsError:
                self.put(job)


def _keep(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def _resolve(job: Job, result: Result) -> None:
    if not job.result.done():
        job.result.set_result(result)
