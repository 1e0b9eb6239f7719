"""A partition that goes to another member of the group."""

# pyright: reportPrivateUsage=false

import asyncio
from collections import deque
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiokafka import TopicPartition

from authbus import EventStream, UserCreated
from authbus.envelope import cloud_event
from authbus.kafka.following import Record
from tests.unit.authbus.records import a_record

PLACE = TopicPartition("t", 0)


class Consumer:
    """Gives its records at once; a commit waits until it is let go."""

    def __init__(self, records: list[Record]) -> None:
        self.batches = deque([{PLACE: records}])
        self.committed: dict[TopicPartition, int] = {}
        self.asked, self.free = asyncio.Event(), asyncio.Event()

    async def getmany(self, **_: object) -> dict[TopicPartition, list[Record]]:
        await asyncio.sleep(0)
        return self.batches.popleft() if self.batches else {}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.asked.set()
        await self.free.wait()
        self.committed |= offsets


def event_record(sequence: int) -> Record:
    event = UserCreated(user_id=uuid4(), sequence=1, actor="service", causation_id=uuid4())
    headers = cloud_event(
        id=uuid4(), type=event.wire_type(), source="/authbus", time=datetime.now(UTC)
    )
    return a_record(event.model_dump_json().encode(), headers=headers, offset=sequence)


async def test_nothing_is_given_out_of_a_partition_while_its_hand_over_waits_for_a_commit() -> None:
    stream = EventStream("localhost:1", group="g")
    consumer: Any = Consumer([event_record(offset) for offset in range(5)])
    stream._consumer = consumer
    async with aclosing(aiter(stream)) as events:
        given = [(await anext(events)).offset for _ in range(2)]
        handing = asyncio.create_task(stream._hand_over([PLACE]))
        await consumer.asked.wait()

        another = asyncio.create_task(anext(events))
        await asyncio.wait([another], timeout=0.05)
        early = another.done()
        consumer.free.set()
        await handing
        another.cancel()
        await asyncio.wait([another])

    assert given == [0, 1]
    assert not early
    assert consumer.committed == {PLACE: 1}
