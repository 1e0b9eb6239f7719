"""How long an operator's command waits for a Kafka that has gone away in the middle of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaTimeoutError

# Longer than another broker takes to lead, shorter than somebody looks at a bar that stands still.
SECONDS = 30.0


@asynccontextmanager
async def patience() -> AsyncGenerator[None]:
    """Raise KafkaTimeoutError when Kafka takes longer for what is in the block.

    aiokafka waits for ever: its consumer for records, its idempotent producer for their receipt.
    """
    try:
        async with asyncio.timeout(SECONDS):
            yield
    except TimeoutError:
        raise _silent() from None


def require_heard(silent: float) -> None:
    """The same for somebody who asks again and again, and was answered so long ago."""
    if silent >= SECONDS:
        raise _silent()


def _silent() -> KafkaTimeoutError:
    return KafkaTimeoutError(f"Kafka has been silent for {SECONDS:.0f} s")
