"""Whom a group waits for: commands that set out together and are on their way to it.

Those that are answered together come back together. A group that cut such a row in two would make
the second half wait for a whole group more; so it is taken when all are there that had set out when
the one before was taken. Each is waited for once, and not for long.
"""

import asyncio
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

ENOUGH = 16
PATIENCE = 0.2


class Company:
    """The commands that are on their way to one writer."""

    def __init__(self, told: Callable[[float], object] | None = None) -> None:
        """Nobody is on the way. `told` hears of each group how many seconds it has waited."""
        self._told = told
        self._set_out = set[object]()
        self._awaited = set[object]()
        self._there = asyncio.Event()

    @contextmanager
    def coming(self) -> Generator[None]:
        """A command is on its way; at the end it is there, or never will be."""
        one = object()
        self._set_out.add(one)
        try:
            yield
        finally:
            self._set_out.discard(one)
            self._awaited.discard(one)
            if not self._awaited:
                self._there.set()

    def see(self, ready: int) -> None:
        """So many are ready for the next group; enough of them wait for nobody."""
        if ready >= ENOUGH:
            self._there.set()

    async def gathered(self, ready: int) -> None:
        """Return when those are there whom the next group waits for; so many are ready."""
        began = time.monotonic()
        if self._awaited and ready < ENOUGH:
            self._there.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._there.wait()
        if self._told:
            self._told(time.monotonic() - began)

    def taken(self) -> None:
        """A group was taken: the next one waits for those who have set out so far."""
        self._awaited, self._set_out = self._set_out, set()
