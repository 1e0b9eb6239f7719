"""A consumer's place in its Kafka group, for who looks on."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from authbus.kafka.stopping import stop
from authbus_service.cluster.errors import KAFKA_AWAY
from authbus_service.core.clock import at_ms
from authbus_service.inbox.fence import Place

_POSITION_SECONDS = 1.0
_ASK_SECONDS = 5.0


@asynccontextmanager
async def asking(client: Mapping[str, Any]) -> AsyncGenerator[AIOKafkaConsumer]:
    """A consumer of no group, for a question or two; raises KAFKA_AWAY when nobody answers."""
    consumer = AIOKafkaConsumer(
        **client, isolation_level="read_committed", enable_auto_commit=False
    )
    try:
        async with asyncio.timeout(_ASK_SECONDS):
            await consumer.start()
            await asyncio.sleep(0)  # else a stop at once cancels a task of its that never ran
            yield consumer
    finally:
        await stop(consumer)


@dataclass(frozen=True, slots=True)
class Member:
    """The partitions that are ours. `admitted`: the guard has let their records in.

    `shut_seconds`: for how long it has not.
    """

    consumer: AIOKafkaConsumer
    partitions: Mapping[Place, TopicPartition]
    admitted: bool
    shut_seconds: float

    @property
    def places(self) -> list[Place]:
        """The partitions in order."""
        return sorted(self.partitions)

    def answered_at(self) -> datetime | None:
        """When Kafka last answered a fetch; None: not yet."""
        polls = map(self.consumer.last_poll_timestamp, self.partitions.values())
        newest = max(filter(None, polls), default=None)
        return None if newest is None else at_ms(newest)

    async def is_behind(self, client: Mapping[str, Any]) -> bool:
        """Whether Kafka has records that we have not fetched, asked over a connection of its own.

        `client` are aiokafka's keyword arguments. False while Kafka does not answer.
        """
        if not self.partitions:
            return False
        try:
            async with asking(client) as kafka:
                ends = await kafka.end_offsets(list(self.partitions.values()))
        except KAFKA_AWAY:
            return False
        for partition, end in ends.items():
            if end > await self._position(partition):
                return True
        return False

    async def _position(self, partition: TopicPartition) -> int:
        try:
            async with asyncio.timeout(_POSITION_SECONDS):
                return await self.consumer.position(partition)
        except (KafkaError, TimeoutError):
            return -1
