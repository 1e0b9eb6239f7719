"""Work beside its caller: one part is written while the next one is read."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


@asynccontextmanager
async def beside(
    work: Callable[[T], Coroutine[Any, Any, None]],
) -> AsyncGenerator[Callable[[T], Awaitable[None]]]:
    """Gives what starts the work on a part, once that on the part before is done.

    What the last part raises is raised when the block ends. When the block itself raises, the part
    at work is cancelled, and has ended.
    """
    running: list[asyncio.Task[None]] = []

    async def start(part: T) -> None:
        while running:
            await running.pop()
        running.append(asyncio.create_task(work(part)))

    try:
        yield start
        while running:
            await running.pop()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
