"""Ending a consumer or producer that cannot stop by itself: Kafka is away and does not answer.

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


async def abandon(end: AIOKafkaConsumer | AIOKafkaProducer) -> None:
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
