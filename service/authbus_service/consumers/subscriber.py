"""FastStream's side: batch subscribers that hand raw records to lanes, and their rebalances.

Offsets are committed explicitly and only as far as the fence is durable. A record's headers and
value are never parsed here, so no record can stop its neighbours.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from authbus.topics import Topic
from authbus_service.consumers.arrival import Place, arrival
from authbus_service.consumers.lanes import Lanes
from authbus_service.consumers.progress import Progress

Records = tuple[ConsumerRecord[bytes, bytes], ...]

# An empty poll sleeps this long once more: it is the latency of a lone command.
_POLL_MS = 2
_LARGEST_BATCH = 500
_DRAIN_SECONDS = 8.0
_SESSION_MS = 10_000
_KAFKA_SECONDS = 5.0


class Intake(ConsumerRebalanceListener):  # pyright: ignore[reportUntypedBaseClass]
    """One consumer of some command topics, its lanes and its progress."""

    def __init__(
        self,
        name: str,
        topics: Sequence[Topic],
        namespace: str,
        make_lanes: Callable[[Progress], Lanes],
        *,
        guard: Callable[[Mapping[Place, int]], Awaitable[None]],
        persist: Callable[["Intake"], Awaitable[None]],
    ) -> None:
        """`guard` is asked before a partition is read, `persist` moves the fence before it goes."""
        self.name = name
        self.topics = {topic.name(namespace): topic for topic in topics}
        self.group = f"{namespace}.{name}"
        self.progress = Progress()
        self.lanes = make_lanes(self.progress)
        self._guard = guard
        self._persist = persist
        self._subscriber: Any = None
        self._names = {topic.suffix: name for name, topic in self.topics.items()}
        self._committed: dict[Place, int] = {}
        self._closing = False

    def register(self, broker: KafkaBroker) -> None:
        """Add the subscriber to the broker; it runs from the broker's start on."""
        self._subscriber = broker.subscriber(
            *self.topics,
            batch=True,
            group_id=self.group,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            batch_timeout_ms=_POLL_MS,
            max_records=_LARGEST_BATCH,
            fetch_max_wait_ms=500,
            session_timeout_ms=_SESSION_MS,
            rebalance_timeout_ms=2 * _SESSION_MS,
            parser=_untouched,
            decoder=_raw,
            listener=self,
            title=f"{self.name} commands",
        )
        self._subscriber(self._take)

    async def _take(self, records: Records) -> None:
        arrivals = [arrival(self.topics[record.topic], record) for record in records]
        if not self._closing:
            await self.lanes.feed(arrivals, self)

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride] - aiokafka awaits it
        self, assigned: Iterable[TopicPartition]
    ) -> None:
        """Before a partition is read: is the database at least as new as Kafka's offset?"""
        consumer = self._consumer()
        committed: dict[Place, int] = {}
        for each in assigned:
            offset = await consumer.committed(each)
            if offset is not None:
                committed[self._place(each)] = offset
        try:
            await self._guard(committed)
        except Exception:
            # aiokafka logs a listener's error and goes on reading.
            self._closing = True
            raise
        self.progress.moved(committed)

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        self, revoked: Iterable[TopicPartition]
    ) -> None:
        """Finish what runs, say how far it came, forget the rest."""
        places = [self._place(each) for each in revoked]
        await self.lanes.drain(places, within=_DRAIN_SECONDS)
        await self._persist(self)
        await self.commit()
        self.progress.forget(places)
        for place in places:
            self._committed.pop(place, None)

    async def close(self) -> None:
        """Take nothing more, finish what runs, commit what is durable."""
        self._closing = True
        if not await self.lanes.drain(within=_DRAIN_SECONDS):
            self.lanes.cancel()
        await self._persist(self)
        await self.commit()

    async def commit(self) -> None:
        """Commit Kafka's offsets up to the durable fence, where they have moved."""
        moved = {
            place: offset
            for place, offset in self.progress.durable.items()
            if offset > self._committed.get(place, -1)
        }
        if moved and self._subscriber.consumer is not None:
            offsets = {self._partition(place): offset for place, offset in moved.items()}
            async with asyncio.timeout(_KAFKA_SECONDS):
                await self._consumer().commit(offsets)
            self._committed.update(moved)

    def pause(self, place: Place) -> None:
        """Read nothing more of this partition for now."""
        self._consumer().pause(self._partition(place))

    def resume(self, place: Place) -> None:
        """Go on reading it, if it is still ours."""
        consumer, partition = self._consumer(), self._partition(place)
        if partition in consumer.assignment():
            consumer.resume(partition)

    def _consumer(self) -> AIOKafkaConsumer:
        return self._subscriber.consumer

    def _place(self, partition: TopicPartition) -> Place:
        return self.topics[partition.topic].suffix, partition.partition

    def _partition(self, place: Place) -> TopicPartition:
        suffix, partition = place
        return TopicPartition(self._names[suffix], partition)


async def _untouched(message: Records) -> KafkaMessage:
    """FastStream's own parser raises on a null or non-UTF-8 header and drops the whole batch."""
    return KafkaMessage(body=b"", raw_message=message, consumer=_NO_CONSUMER)


async def _raw(message: KafkaMessage) -> Records:
    return cast("Records", message.raw_message)


class _NoConsumer:
    """Acknowledging through a message would commit every partition's position: it is refused."""

    async def commit(self) -> None:
        raise RuntimeError("offsets follow the fence alone")

    def seek(self, partition: object, offset: int) -> None:
        raise RuntimeError(f"offsets follow the fence alone, not {partition}: {offset}")


_NO_CONSUMER = _NoConsumer()
