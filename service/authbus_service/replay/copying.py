"""Records sent again: in their order, acknowledged, at most so many a second."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import choice
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from authbus.kafka.stopping import stop
from authbus_service.cluster import Admin
from authbus_service.cluster.partitioning import partition_of
from authbus_service.cluster.patience import patience

_LARGEST_BATCH = 262_144
_PARTS_A_SECOND = 10


@dataclass(frozen=True, slots=True)
class Copy:
    """One record to be sent; without a partition its key decides."""

    key: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)
    headers: Sequence[tuple[str, bytes | None]] = field(repr=False)
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a copy lies."""

    partition: int
    offset: int


class Pace:
    """At most `rate` records a second, None: as fast as it goes."""

    def __init__(
        self,
        rate: float | None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """The time begins with the first record."""
        self._rate = rate
        self._now, self._sleep = now, sleep
        self._next = 0.0

    def parts(self, records: Sequence[Copy]) -> Iterable[Sequence[Copy]]:
        """Parts that are small enough not to come in bursts."""
        size = len(records) if self._rate is None else max(int(self._rate / _PARTS_A_SECOND), 1)
        return (records[at : at + size] for at in range(0, len(records), max(size, 1)))

    async def keep(self, count: int) -> None:
        """Wait until so many more may be sent."""
        if self._rate is None:
            return
        now = self._now()
        # What a pause has cost stays lost: to make it good would be a burst.
        begin = max(self._next, now)
        self._next = begin + count / self._rate
        await self._sleep(begin - now)


class Copier:
    """Sends onto one topic; a record that is too large for it stops no other one."""

    def __init__(
        self, producer: AIOKafkaProducer, topic: str, rate: float | None, largest: int
    ) -> None:
        """`producer` is started; a batch has at most `largest` bytes."""
        self._producer = producer
        self._topic = topic
        self._pace = Pace(rate)
        # One that Kafka refuses would leave a gap in the producer's sequence, and end it.
        self._largest = largest

    async def send(self, copies: Sequence[Copy]) -> list[Sent | None]:
        """Where each lies, once all are acknowledged; None for one that the topic does not take."""
        sent: list[Sent | None] = []
        for part in self._pace.parts(copies):
            await self._pace.keep(len(part))
            sent += await self.part(part)
        return sent

    async def part(self, copies: Sequence[Copy]) -> list[Sent | None]:
        """The same at once, whatever the rate."""
        there = sorted(await self._producer.partitions_for(self._topic))
        batches: list[tuple[int, BatchBuilder, list[int]]] = []
        open_ones: dict[int, tuple[BatchBuilder, list[int]]] = {}
        for number, copy in enumerate(copies):
            partition = _partition(copy, there)
            batch = open_ones.get(partition)
            if batch is None or not _added(batch[0], copy):
                batch = self._producer.create_batch(), list[int]()
                _added(batch[0], copy)
                if batch[0].size() > self._largest:
                    continue
                open_ones[partition] = batch
                batches.append((partition, *batch))
            batch[1].append(number)
        return await self._acknowledged(batches, len(copies))

    async def _acknowledged(
        self, batches: Sequence[tuple[int, BatchBuilder, list[int]]], count: int
    ) -> list[Sent | None]:
        waits = [
            await self._producer.send_batch(batch, self._topic, partition=partition)
            for partition, batch, _ in batches
        ]
        sent: list[Sent | None] = [None] * count
        for (partition, _, numbers), wait in zip(batches, waits, strict=True):
            async with patience():
                said: Any = await wait
            for index, number in enumerate(numbers):
                sent[number] = Sent(partition, said.offset + index)
        return sent


def _partition(copy: Copy, there: list[int]) -> int:
    if copy.partition is not None:
        return copy.partition
    if copy.key is None:
        return choice(there)  # noqa: S311 - spreads load, guards nothing
    return partition_of(copy.key, there)


def _added(batch: BatchBuilder, copy: Copy) -> bool:
    added = batch.append(
        key=copy.key,
        value=copy.value,
        timestamp=None,
        headers=list(copy.headers),  # pyright: ignore[reportArgumentType] - a null value is one too
    )
    return added is not None


@asynccontextmanager
async def copier(
    admin: Admin, topic: str, rate: float | None, largest: int
) -> AsyncGenerator[Copier]:
    """A Copier onto a topic that takes batches of up to `largest` bytes.

    It raises KafkaTimeoutError when Kafka goes away: what was sent by then may be there or not.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=admin.servers,
        acks="all",
        enable_idempotence=True,
        max_batch_size=min(largest, _LARGEST_BATCH),
        linger_ms=0,
        **admin.security,
    )
    try:
        async with patience():
            await producer.start()
        yield Copier(producer, topic, rate, largest)
    finally:
        await stop(producer)
