"""Lanes: records of one key in order, other keys side by side, only so many at a time."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.bounded import size_of
from authbus_service.consumers.progress import Progress
from authbus_service.core.logging import get_logger
from authbus_service.inbox.fence import Place

Lane = tuple[str, int, bytes | int]

_MIB = 1024 * 1024

_log = get_logger(__name__)


class Source(Protocol):
    """The consumer's part that stops a partition while its span is too wide."""

    def pause(self, place: Place) -> None: ...
    def resume(self, place: Place) -> None: ...


class Lanes:
    """Feeds `handle`, which returns when a record is finished; one that raises is asked again.

    At most `in_flight` keys have records that are queued or running, so that a key whose first
    record has to wait keeps nobody else's out. What it queues is bounded where it lies: a partition
    is paused when its span, from the lowest unfinished record to the newest, passes `span`, or what
    is queued of it, keys and headers too, passes `size` bytes.
    """

    def __init__(
        self,
        handle: Callable[[Arrival], Awaitable[None]],
        progress: Progress,
        *,
        passing: Callable[[Collection[Arrival]], Awaitable[Collection[int]]] | None = None,
        in_flight: int = 128,
        span: int = 2000,
        size: int = 4 * _MIB,
        pause: float = 1.0,
    ) -> None:
        """Lanes that count into `progress`; `pause` is the time before a record is tried again.

        `passing` finds the places of those in a batch that need nothing more.
        """
        self._handle = handle
        self._progress = progress
        self._passing = passing
        self._slots = asyncio.Semaphore(in_flight)
        self._span, self._size = span, size
        self._pause = pause
        self._lanes: dict[Lane, deque[Arrival]] = {}
        self._tasks: dict[asyncio.Task[None], Place] = {}
        self._paused: set[Place] = set()
        self._queued: Counter[Place] = Counter()
        self._drains: Counter[Place] = Counter()
        self._closed = False

    @property
    def running(self) -> int:
        """How many lanes have work."""
        return len(self._lanes)

    async def feed(self, arrivals: Collection[Arrival], source: Source) -> None:
        """Take a fetched batch; a new key waits for a slot. What a drain overtook is dropped."""
        drains = {arrival.place: self._drains[arrival.place] for arrival in arrivals}
        passed = () if self._passing is None else await self._passing(arrivals)
        for number, arrival in enumerate(arrivals):
            place = arrival.place
            if number in passed and not self._closed and self._drains[place] == drains[place]:
                self._begin(arrival)
                self._progress.finish(arrival)
                continue
            if is_new := arrival.lane not in self._lanes:
                await self._slots.acquire()
            if self._closed or self._drains[place] != drains[place]:
                if is_new:
                    self._slots.release()
                continue
            self._begin(arrival)
            self._enter(arrival, source)
            if self._progress.span(place) > self._span or self._queued[place] > self._size:
                self._paused.add(place)
                source.pause(place)

    async def drain(self, places: Collection[Place] | None = None, *, within: float) -> bool:
        """Drop what is queued, wait for what runs. False when time ran out.

        Without `places` it is the last drain: nothing is taken in any more.
        """
        self._closed = self._closed or places is None
        self._drains.update(places or ())
        self._paused.difference_update(places or ())
        for lane, queue in self._lanes.items():
            if places is None or lane[:2] in places:
                while len(queue) > 1:
                    self._forget(queue.pop())
        running = {task for task, place in self._tasks.items() if places is None or place in places}
        if running:
            _, late = await asyncio.wait(running, timeout=within)
            return not late
        return True

    async def cancel(self) -> None:
        """End what still runs; its records are delivered again."""
        running = list(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _begin(self, arrival: Arrival) -> None:
        if not self._progress.begin(arrival):
            _log.error(
                "the log went back: it lost its end, or its topic was made anew",
                place=arrival.place,
                offset=arrival.offset,
            )

    def _enter(self, arrival: Arrival, source: Source) -> None:
        self._queued[arrival.place] += size_of(arrival)
        queue = self._lanes.get(arrival.lane)
        if queue is not None:
            queue.append(arrival)
            return
        self._lanes[arrival.lane] = deque([arrival])
        task = asyncio.create_task(self._run(arrival.lane, source))
        self._tasks[task] = arrival.place
        task.add_done_callback(self._tasks.pop)

    async def _run(self, lane: Lane, source: Source) -> None:
        queue = self._lanes[lane]
        try:
            while queue:
                # The head stays in the queue while it runs, so that a lane is never started twice.
                self._progress.head(queue[0])
                await self._finish(queue[0])
                self._progress.finish(queue[0])
                self._forget(queue.popleft())
                self._resume(lane[:2], source)
        finally:
            for each in queue:
                self._forget(each)
            del self._lanes[lane]
            self._slots.release()

    def _forget(self, arrival: Arrival) -> None:
        self._queued[arrival.place] -= size_of(arrival)

    async def _finish(self, arrival: Arrival) -> None:
        while True:
            try:
                await self._handle(arrival)
            except Exception:  # noqa: BLE001 - a lane that ended would never go on
                _log.exception("a record waits", place=arrival.place, offset=arrival.offset)
                await asyncio.sleep(self._pause)
            else:
                return

    def _resume(self, place: Place, source: Source) -> None:
        is_wide = self._progress.span(place) > self._span // 2
        if place in self._paused and not is_wide and self._queued[place] <= self._size // 2:
            self._paused.discard(place)
            source.resume(place)
