"""The relay for as long as the service runs, and its last words."""

import asyncio
from contextlib import AsyncExitStack, suppress

from authbus_service.core.database import DATABASE_AWAY, Database
from authbus_service.outbox import repository as outbox
from authbus_service.relay.loop import Relay

_LAST_LOOKS = 100
_LOOK_SECONDS = 0.02


def run_relay(relay: Relay, database: Database, stack: AsyncExitStack) -> asyncio.Task[None]:
    """Relay until the stack is left, and then until nothing is left to say."""
    task = asyncio.create_task(relay.run(), name="relay")

    async def stop() -> None:
        if relay.state.leading:
            await _last_words(database)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)
    return task


async def _last_words(database: Database) -> None:
    with suppress(*DATABASE_AWAY):
        async with database.reading() as db:
            for _ in range(_LAST_LOOKS):
                if not await outbox.oldest(db, 1):
                    return
                await asyncio.sleep(_LOOK_SECONDS)
