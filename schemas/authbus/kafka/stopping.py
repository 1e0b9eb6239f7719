"""Ending a consumer or producer, also when Kafka is away and does not answer.

aiokafka waits for its coordinator then, or stops half way. Its parts are ended one by one, as far
as they are found under the names that they have today.
"""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

_PART_SECONDS = 2.0
_PARTS = ("_fetcher", "_sender", "_client", "client")
_TASKS = (
    ("_coordinator", ("_coordination_task", "_heartbeat_task", "_commit_refresh_task")),
    ("_fetcher", ("_fetch_task",)),
    ("_sender", ("_sender_task",)),
)


async def stop(end: AIOKafkaConsumer | AIOKafkaProducer, *, within: float = 5.0) -> None:
    """Stop it; after so many seconds it is abandoned.

    In a task of its own: aiokafka's `stop` may lose the cancellation of who waits for it, and with
    requests in flight it may raise CancelledError when nobody has cancelled it.
    """
    stopping = asyncio.create_task(end.stop())
    try:
        await asyncio.wait([stopping], timeout=within)
    finally:
        if not stopping.done() or stopping.cancelled() or stopping.exception():
            stopping.cancel()
            await _abandon(end)


async def _abandon(end: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Cancel its tasks and close its connections; nothing is sent or committed any more."""
    tasks = [
        task
        for part, names in _TASKS
        for name in names
        if isinstance(task := getattr(getattr(end, part, None), name, None), asyncio.Task)
    ]
    for task in tasks:
        task.cancel()
    for name in _PARTS:
        part: Any = getattr(end, name, None)
        if part is not None:
            tasks.append(asyncio.create_task(part.close()))
    if tasks:
        await asyncio.wait(tasks, timeout=_PART_SECONDS)
    for task in tasks:
        # What it raises is looked at, or asyncio complains of it.
        if task.done() and not task.cancelled():
            task.exception()
