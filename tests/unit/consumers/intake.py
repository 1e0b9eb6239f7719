"""An intake with doubles at its edges."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from authbus import topics
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.lanes import Lanes
from authbus_service.consumers.progress import Progress
from authbus_service.consumers.subscriber import Intake
from authbus_service.inbox.fence import Place

TOPIC = topics.CREDENTIALS.name("t")
ZERO, ONE = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)


class Consumer:
    """Remembers what was committed and paused; fails when told to."""

    def __init__(self) -> None:
        self.offsets: dict[TopicPartition, int] = {}
        self.assigned: set[TopicPartition] = {ZERO, ONE}
        self.error: Exception | None = None

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self.error is not None:
            raise self.error
        self.offsets |= offsets

    async def committed(self, partition: TopicPartition) -> int | None:
        if self.error is not None:
            raise self.error
        return self.offsets.get(partition)

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    def pause(self, partition: TopicPartition) -> None:
        assert partition in self.assigned

    resume = pause


class World:
    """An intake whose records are handled at once, unless held."""

    def __init__(self) -> None:
        self.handled: list[int] = []
        self.open = asyncio.Event()
        self.open.set()
        self.guarded: list[Mapping[Place, int]] = []
        self.guard_errors: list[Exception] = []
        self.persist_error: Exception | None = None
        self.failures: list[BaseException] = []
        self.consumer = Consumer()
        self.intake = Intake(
            "credentials",
            [topics.CREDENTIALS],
            "t",
            self.lanes,
            instance=None,
            guard=self.guard,
            persist=self.persist,
            failed=self.failures.append,
        )
        self.intake._subscriber = SimpleNamespace(consumer=self.consumer)

    def lanes(self, progress: Progress) -> Lanes:
        return Lanes(self.handle, progress, in_flight=3, span=5)

    async def handle(self, arrival: Arrival) -> None:
        await self.open.wait()
        self.handled.append(arrival.offset)

    async def guard(self, committed: Mapping[Place, int]) -> None:
        self.guarded.append(committed)
        if self.guard_errors:
            raise self.guard_errors.pop(0)

    async def persist(self, intake: Intake) -> None:
        if self.persist_error is not None:
            raise self.persist_error
        intake.progress.moved(intake.progress.ahead())

    async def assign(self, *partitions: TopicPartition) -> None:
        await self.intake.on_partitions_assigned(partitions)

    async def take(self, *offsets: int, partition: TopicPartition = ZERO) -> None:
        records: Any = [a_record(partition, offset) for offset in offsets]
        await asyncio.wait_for(self.intake._take(tuple(records)), 3)


def a_record(partition: TopicPartition, offset: int) -> Any:
    return SimpleNamespace(
        topic=partition.topic,
        partition=partition.partition,
        offset=offset,
        key=b"k",
        value=b"v",
        headers=[],
        timestamp=0,
    )


async def settled() -> None:
    await asyncio.sleep(0.01)
