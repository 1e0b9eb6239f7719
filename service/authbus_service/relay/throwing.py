"""The end of a producer of which nothing more may be sent, and of what it was about."""

import asyncio
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaProducer

_CLOSE_SECONDS = 1.0


async def throw_away(producer: AIOKafkaProducer) -> None:
    """No flush, no abort, no commit, nothing more is sent."""
    insides: Any = producer
    insides._closed = True  # noqa: SLF001 - stop() would flush, and wait for what never comes
    sender: asyncio.Task[None] | None = insides._sender.sender_task  # noqa: SLF001
    if sender is not None:
        sender.cancel()
    connections = tuple(insides.client._conns.values())  # noqa: SLF001
    for connection in connections:
        if connection.connected():
            connection._writer.transport.abort()  # noqa: SLF001
    # In a task of its own, because it may lose the cancellation of who waits for it.
    closing = asyncio.create_task(insides.client.close())
    try:
        await asyncio.wait({closing}, timeout=_CLOSE_SECONDS)
    finally:
        closing.cancel()
    while sender is not None and not sender.done():
        sender.cancel()
        await asyncio.wait({sender}, timeout=0.05)
    retrieve(insides._txn_manager._transaction_waiter)  # noqa: SLF001
    waiting = insides._message_accumulator  # noqa: SLF001
    for batch in (*chain(*waiting._batches.values()), *waiting._pending_batches):  # noqa: SLF001
        retrieve(batch._drain_waiter)  # noqa: SLF001 - a fenced producer fails what it had not begun
        retrieve(batch.future)


def retrieve(future: asyncio.Future[Any] | None) -> None:
    """Take what became of it: else asyncio complains that nobody did."""
    if future is not None and future.done() and not future.cancelled():
        future.exception()


async def drop(*tasks: asyncio.Task[Any]) -> None:
    """Cancel these, and take what became of them."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        retrieve(task)
