"""A broker that goes away in the middle of something."""

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

from authbus_service.embedded import EmbeddedStack

How = Literal["killed", "frozen"]


@asynccontextmanager
async def away(stack: EmbeddedStack, how: How) -> AsyncGenerator[None]:
    """It is gone for the length of a block: nobody listens, or nobody answers."""
    pid = stack.kafka_process.pid
    if how == "killed":
        await stack.kill_kafka()
    else:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if how == "killed":
            await stack.restart_kafka()
        else:
            os.kill(pid, signal.SIGCONT)
