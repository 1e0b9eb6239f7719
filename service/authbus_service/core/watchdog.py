"""Ends a process that makes no progress while work waits for it.

Each part of the process says whether work waits and shows a sign that changes with every step of
it. One that stands still for too long, while Kafka and PostgreSQL answer, is beyond mending: the
process ends, and whoever started it starts another. While one of them is away waiting is right, and
a step that fails and is tried again is a step: the clock then begins anew.

A thread of its own looks after the event loop, and ends the process also when it does not end by
itself.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from authbus_service.core.exit_status import Exit
from authbus_service.core.logging import get_logger

_END_SECONDS = 30.0
_LOOKS = 4
_TICK = 1.0
_FRAMES = 8

_log = get_logger(__name__)


class StalledError(RuntimeError):
    """A part of the process makes no progress."""

    def __init__(self, what: str, seconds: float) -> None:
        """`what` stands still, for so many `seconds`."""
        super().__init__(
            f"{what} makes no progress for {seconds:.0f} s while work waits, and Kafka and"
            " PostgreSQL answer. The process ends, so that another takes over"
        )


@dataclass(frozen=True, slots=True)
class Part:
    """Something that works. `sign` changes with each step, `waits` tells whether work waits."""

    name: str
    sign: Callable[[], Hashable]
    waits: Callable[[], Awaitable[bool]]


@dataclass(slots=True)
class Watchdog:
    """Looks at the parts. `answer` tells whether Kafka and PostgreSQL do; `seconds` is patience.

    Looks are counted and not the time between them: a process that was stopped, and goes on, has
    stood still for no longer than one look.
    """

    parts: Sequence[Part]
    answer: Callable[[], Awaitable[bool]]
    seconds: float
    _stood: dict[str, tuple[Hashable, int]] = field(default_factory=dict[str, tuple[Hashable, int]])

    async def run(self) -> None:
        """Look until cancelled; raises StalledError, and ends the process when that does not."""
        while True:
            await asyncio.sleep(self.seconds / _LOOKS)
            for part in self.parts:
                try:
                    await self._look(part)
                except StalledError as error:
                    _log.critical("the process is stalled", part=part.name, reason=str(error))
                    end_after(_END_SECONDS)
                    raise

    async def _look(self, part: Part) -> None:
        sign = part.sign()
        last, looks = self._stood.get(part.name, (None, 0))
        if sign == last and await part.waits() and await self.answer():
            looks += 1
            if sign == part.sign() and looks >= _LOOKS:
                raise StalledError(part.name, self.seconds)
        else:
            looks = 0
        self._stood[part.name] = sign, looks


class Pulse:
    """Ends the process when its event loop stands still for `seconds`; enter it in the loop.

    Only ticks that the thread itself has lived through count, so that a process that was stopped
    and goes on is not taken for one that stalls.
    """

    def __init__(self, seconds: float) -> None:
        """Nothing is watched yet."""
        self._seconds = seconds
        self._beats = 0
        self._left = threading.Event()

    def __enter__(self) -> Self:
        """Watch the running loop."""
        watching = (asyncio.get_running_loop(), threading.get_ident())
        threading.Thread(target=self._watch, args=watching, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Watch no more."""
        self._left.set()

    def _watch(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        silent, last = 0.0, -1
        while silent < self._seconds:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._beat)
            if self._left.wait(_TICK):
                return
            silent = 0.0 if self._beats != last else silent + _TICK
            last = self._beats
        _log.critical("the event loop stands still", seconds=silent, at=_places(thread))
        os._exit(Exit.LEFT)

    def _beat(self) -> None:
        self._beats += 1


def end_after(seconds: float) -> None:
    """End the process for sure, if it has not ended by itself by then."""

    def end() -> None:
        _log.critical("the process did not end by itself", seconds=seconds)
        os._exit(Exit.LEFT)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _places(thread: int) -> list[str]:
    """Where that thread is, from the inside out."""
    frames = sys._current_frames()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - it is public
    frame, places = frames.get(thread), list[str]()
    while frame is not None and len(places) < _FRAMES:
        code = frame.f_code
        where = "/".join(Path(code.co_filename).parts[-3:])
        places.append(f"{where}:{frame.f_lineno} {code.co_name}")
        frame = frame.f_back
    return places
