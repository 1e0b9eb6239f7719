"""One event loop for a command: uvloop where it is there, signals, a second signal ends at once."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from io import StringIO
from typing import TypeVar

from authbus_service.core import garbage
from authbus_service.core.exit_status import by_signal
from authbus_service.core.logging import configure

T = TypeVar("T")

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_quietly(work: Coroutine[None, None, T]) -> T:
    """Run to the end without a log: what went wrong is raised, and said by who catches it.

    Raises StartupError, with its cure, when a server goes away or refuses us in the middle.
    A bug that nobody catches is logged: the log is there again when this has ended.
    """
    configure("text", "error", StringIO())
    try:
        return run(work)
    except Exception as error:
        from authbus_service.cli.errors import explain  # these know much that a command may not
        from authbus_service.startup.outages import raise_told

        if explain(error) is None:
            raise_told(error)
        raise
    finally:
        configure("text", "error")


def run(work: Coroutine[None, None, T]) -> T:
    """Run to the end and return the result."""
    garbage.leave_alone()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


async def until_asked(work: Coroutine[None, None, None]) -> None:
    """Run `work`; the first SIGTERM or SIGINT cancels it, which is a normal end then."""
    task, asked = asyncio.ensure_future(work), asyncio.Event()

    def ask() -> None:
        asked.set()
        task.cancel()

    _on_signals(ask)
    try:
        await task
    except asyncio.CancelledError:
        if not asked.is_set():
            raise


def _on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()

    def first() -> None:
        for number in _SIGNALS:
            loop.add_signal_handler(number, os._exit, by_signal(number))
        stop()

    for number in _SIGNALS:
        loop.add_signal_handler(number, first)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.new_event_loop
