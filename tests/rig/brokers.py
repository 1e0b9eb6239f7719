"""A broker that goes away in the middle of something."""

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

from authbus_service.embedded import EmbeddedStack

How = Literal["killed", "frozen"]


def struck(stack: EmbeddedStack, how: How) -> None:
    """It goes away at this moment: nobody listens any more, or nobody answers."""
    os.kill(stack.kafka_process.pid, signal.SIGKILL if how == "killed" else signal.SIGSTOP)


@asynccontextmanager
async def away(stack: EmbeddedStack, how: How) -> AsyncGenerator[None]:
    """It is away for the length of a block, whether it was struck before or not."""
    struck(stack, how)
    if how == "killed":
        await stack.kill_kafka()
    try:
        yield
    finally:
        if how == "killed":
            await stack.restart_kafka()
        else:
            os.kill(stack.kafka_process.pid, signal.SIGCONT)
