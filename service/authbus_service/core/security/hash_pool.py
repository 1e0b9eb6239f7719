"""Hashing beside the event loop: as many threads as there are cores for us, and a bounded queue."""

import asyncio
import os
import secrets
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from statistics import fmean
from typing import TypeVar

from authbus_service.core.security.cores import usable_cores
from authbus_service.core.security.passwords import Hasher, Verified

T = TypeVar("T")

_BOUND = 4096
_SLACK = 0.6
_MOST_SLACK = 0.2
# The event loop, Kafka and PostgreSQL go first: what they do is short and lets the next hash begin.
_NICE = 10
_REMEMBERED = 64


class HashPoolFullError(RuntimeError):
    """As many hashes wait as may wait; the command is answered `busy`."""


class HashPool:
    """A hasher's threads. Hashing frees the GIL, so threads wider than the cores only queue."""

    def __init__(
        self,
        hasher: Hasher,
        *,
        threads: int | None = None,
        bound: int = _BOUND,
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """A pool with so many threads (the usable cores); at most `bound` hashes wait.

        `around` is entered for each hash, and left when it is done.
        """
        self._around = around
        self.hasher = hasher
        self.width = threads or usable_cores()
        self._bound = bound
        self._executor = ThreadPoolExecutor(
            self.width, thread_name_prefix="hash", initializer=_step_back
        )
        self._running: set[object] = set()
        self._took = deque([1 / hasher.rate], maxlen=_REMEMBERED)

    @property
    def running(self) -> int:
        """How many hashes have a thread."""
        return min(len(self._running), self.width)

    @property
    def queued(self) -> int:
        """How many hashes wait for a thread."""
        return max(0, len(self._running) - self.width)

    @property
    def wait_seconds(self) -> float:
        """How long one more hash would wait for a thread, by what the last ones took.

        Beside others, and on cores that something else uses too, they take longer than alone.
        """
        free = self.width - len(self._running)
        return 0.0 if free > 0 else (1 - free) * fmean(self._took) / self.width

    @property
    def slack_seconds(self) -> float:
        """How long a commit may wait for company at no cost: nothing while a thread is free."""
        return min(_MOST_SLACK, _SLACK * self.wait_seconds)

    async def verify(self, phc: str | None, password: str) -> Verified:
        """See Hasher.verify. Raises HashPoolFullError before any work."""
        return await self._run(self._timed(lambda: self.hasher.verify(phc, password)))

    async def hash(self, password: str, salt: bytes | None = None) -> str:
        """See Hasher.hash. Raises HashPoolFullError before any work."""
        return await self._run(self._timed(lambda: self.hasher.hash(password, salt)))

    async def pretend(self) -> None:
        """Take as long as a verify that began now, hash nothing.

        The queue's wait, then the time that one of the last hashes took.
        """
        await asyncio.sleep(self.wait_seconds + secrets.choice(self._took))

    def close(self) -> None:
        """Drop what waits, finish what runs."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _timed(self, work: Callable[[], T]) -> Callable[[], T]:
        def timed() -> T:
            began = time.perf_counter()
            try:
                return work()
            finally:
                self._took.append(time.perf_counter() - began)

        return timed

    async def _run(self, work: Callable[[], T]) -> T:
        if self.queued >= self._bound:
            raise HashPoolFullError("too many hashes wait")
        future = self._executor.submit(work)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        with self._around():
            return await asyncio.wrap_future(future)


def _step_back() -> None:
    if sys.platform == "linux":  # elsewhere niceness is the whole process's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
