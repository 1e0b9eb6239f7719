"""A broker that goes away in the middle of something."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Literal

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from authbus_service.embedded import EmbeddedStack

How = Literal["killed", "frozen"]
_LOOK, _LOOKS, _BACK_SECONDS = 0.1, 15, 60


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
            await _serves(stack.addresses.bootstrap_servers)


async def _serves(servers: str) -> None:
    """Wait until it serves for good: it may find only a moment later that it was given up."""
    well = 0
    async with asyncio.timeout(_BACK_SECONDS):
        while well < _LOOKS:
            well = well + 1 if await _is_there(servers) else 0
            await asyncio.sleep(_LOOK)


async def _is_there(servers: str) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    with suppress(KafkaError):
        try:
            await admin.start()
            return bool((await admin.describe_cluster())["brokers"])
        finally:
            await admin.close()
    return False
