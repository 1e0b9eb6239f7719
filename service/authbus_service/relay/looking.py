"""What the relay reads from Kafka: a few records, once, without a group."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from authbus.kafka.connection import SILENCE_MS
from authbus.kafka.stopping import stop

Record = ConsumerRecord[bytes, bytes]
_WAIT_MS = 20


@asynccontextmanager
async def looking(
    client: Mapping[str, Any], *, committed: bool = True
) -> AsyncGenerator[AIOKafkaConsumer]:
    """A consumer that is assigned nothing yet; `client` are aiokafka's keyword arguments.

    Its ends are what it can see: with `committed` they lie before the first open transaction.
    """
    consumer = AIOKafkaConsumer(
        **client,
        isolation_level="read_committed" if committed else "read_uncommitted",
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=_WAIT_MS,
        request_timeout_ms=SILENCE_MS,
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await stop(consumer)


async def between(
    consumer: AIOKafkaConsumer, place: TopicPartition, start: int, end: int
) -> list[Record]:
    """The records of an assigned partition from one offset up to before another."""
    found: list[Record] = []
    consumer.seek(place, start)
    while consumer.highwater(place) is None or await consumer.position(place) < end:
        batches = await consumer.getmany(place, timeout_ms=_WAIT_MS)
        found += [each for each in batches.get(place, ()) if each.offset < end]
    return found
