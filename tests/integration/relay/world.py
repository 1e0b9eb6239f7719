"""What the relay's tests share: a place to write rows, relays, and readers of the topics."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from sqlalchemy import func, select

from authbus import topics
from authbus.topics import Topic
from authbus_service.core.database import Database
from authbus_service.outbox.models import OutboxRow
from authbus_service.outbox.repository import Record, append
from authbus_service.relay.loop import Pace, Relay
from tests.rig.topics import places

QUICK = Pace(deadline=1.0, heartbeat=0.2, first_retry=0.01, last_retry=0.2)


def a_record(
    key: str = "ana", payload: bytes | None = b"{}", topic: Topic = topics.EVENTS
) -> Record:
    return Record(
        id=uuid4(),
        topic=topic,
        key=key,
        type="authbus.UserCreated.v1",
        payload=payload,
        headers=[("ce_type", b"authbus.UserCreated.v1")],
    )


@dataclass(frozen=True, slots=True)
class World:
    database: Database
    servers: str
    namespace: str
    epoch: UUID

    async def write(self, *records: Record) -> None:
        async with self.database.transaction() as db:
            await append(db, records)

    async def waiting(self) -> int:
        async with self.database.reading() as db:
            return await db.scalar(select(func.count()).select_from(OutboxRow)) or 0

    def relay(
        self,
        kind: Callable[..., Relay] = Relay,
        *,
        lease_seconds: float = 0.5,
        epoch: UUID | None = None,
        pace: Pace = QUICK,
    ) -> Relay:
        return kind(
            self.database,
            bootstrap_servers=self.servers,
            namespace=self.namespace,
            epoch=epoch or self.epoch,
            holder=uuid4(),
            lease_seconds=lease_seconds,
            pace=pace,
        )

    async def read(
        self, topic: Topic = topics.EVENTS, *, isolation: str = "read_committed"
    ) -> list[ConsumerRecord[bytes, bytes]]:
        """Everything on a topic up to its end, each partition in order."""
        async with AIOKafkaConsumer(
            bootstrap_servers=self.servers,
            isolation_level=isolation,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        ) as consumer:
            partitions = await places(self.servers, topic, self.namespace)
            consumer.assign(partitions)
            return [record async for record in _to_the_end(consumer, partitions)]

    async def until_said(self, seconds: float = 20) -> None:
        """Wait until the outbox is empty."""
        await until(self._all_said, seconds)

    async def _all_said(self) -> bool:
        return not await self.waiting()


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Ask again and again; TimeoutError when it does not come true."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - a server wakes nobody
            await asyncio.sleep(0.01)


async def _to_the_end(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    ends = await consumer.end_offsets(partitions)
    for partition in partitions:
        while await consumer.position(partition) < ends[partition]:
            batches = await consumer.getmany(partition, timeout_ms=50)
            for record in batches.get(partition, ()):
                yield record


@asynccontextmanager
async def running(*relays: Relay) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
