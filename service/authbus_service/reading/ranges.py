"""Which stretch of a topic: from and to, each a time or an offset."""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from authbus.kafka.stopping import stop
from authbus_service.cluster import Admin, ClusterError
from authbus_service.cluster.patience import patience
from authbus_service.cluster.places import is_past
from authbus_service.consumers.bounded import poll, read_bounded
from authbus_service.core.clock import LONG_AGO
from authbus_service.reading.records import Record

# An offset means the same one on each partition.
Bound = datetime | int

_AT_ONCE = 2000
_WAIT_MS = 200
_FETCH_MS = 20


def bound(text: str) -> Bound:
    """`1200` or `2026-03-01T02:00:00`, in UTC where it names no other zone. Raises ValueError."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither an offset, like 1200, nor a time, like 2026-03-01T02:00:00"
        ) from None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    if at < LONG_AGO:
        raise ValueError(f"{text!r} is before 1970, where Kafka's time begins: name a later time")
    return at


@dataclass(frozen=True, slots=True)
class Span:
    """One partition's stretch: from `first` up to, not including, `end`."""

    first: int
    end: int

    @property
    def length(self) -> int:
        """How many offsets; some of them may have no record."""
        return max(self.end - self.first, 0)


async def partitions_of(admin: Admin, topic: str) -> list[TopicPartition]:
    """Every partition that a topic has. Raises ClusterError when there is none."""
    found = (await admin.topics([topic])).get(topic)
    if found is None:
        raise ClusterError(
            f"there is no topic {topic} at {admin.servers}. Look how it is written; one that "
            "events are copied onto you make yourself"
        )
    return [TopicPartition(topic, each) for each in range(found.partitions)]


async def largest_batch(admin: Admin, topic: str) -> int:
    """How many bytes a batch may have that a topic takes."""
    settings = (await admin.settings([topic]))[topic]
    return int(settings["max.message.bytes"].value)


@asynccontextmanager
async def reader(admin: Admin, **more: Any) -> AsyncGenerator[AIOKafkaConsumer]:  # noqa: ANN401
    """What reads all that is committed, and moves no offset. Raises KafkaError."""
    read_bounded()
    usual: dict[str, Any] = {"auto_offset_reset": "earliest", "fetch_max_wait_ms": _FETCH_MS}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=admin.servers,
        isolation_level="read_committed",
        enable_auto_commit=False,
        **{**usual, **admin.security, **more},
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await stop(consumer)


async def spans(
    consumer: AIOKafkaConsumer,
    places: Collection[TopicPartition],
    begin: Bound | None,
    end: Bound | None,
) -> dict[TopicPartition, Span]:
    """The stretches of these partitions; without an end: up to where they end now."""
    first, last = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    begins = await offsets(consumer, places, begin, first, last)
    ends = await offsets(consumer, places, end, last, last)
    return {each: Span(max(begins[each], first[each]), ends[each]) for each in places}


async def offsets(
    consumer: AIOKafkaConsumer,
    places: Collection[TopicPartition],
    at: Bound | None,
    otherwise: Mapping[TopicPartition, int],
    last: Mapping[TopicPartition, int],
) -> dict[TopicPartition, int]:
    """Where this bound lies on each partition: a time's first record, or the end behind all."""
    if at is None:
        return dict(otherwise)
    if isinstance(at, int):
        return {each: min(at, last[each]) for each in places}
    found = await consumer.offsets_for_times(dict.fromkeys(places, int(at.timestamp() * 1000)))
    return {each: last[each] if found[each] is None else found[each].offset for each in places}


async def read(
    consumer: AIOKafkaConsumer, stretches: Mapping[TopicPartition, Span]
) -> AsyncGenerator[list[Record]]:
    """The records of these stretches, each partition's in its order, a bounded part at once.

    Raises KafkaTimeoutError when Kafka goes away.
    """
    left = {place for place, span in stretches.items() if span.length}
    consumer.assign(list(left))
    for place in left:
        consumer.seek(place, stretches[place].first)
    while left:
        async with patience():
            found = await _next(consumer, stretches, left)
        records = [
            each
            for each in found
            if each.offset < stretches[TopicPartition(each.topic, each.partition)].end
        ]
        if records:
            yield records


async def _next(
    consumer: AIOKafkaConsumer,
    stretches: Mapping[TopicPartition, Span],
    left: set[TopicPartition],
) -> list[Record]:
    """Wait until a place moves on; what is read to its end is not `left` any more."""
    found: list[Record] = []
    before = await _positions(consumer, left)
    while await _positions(consumer, left) == before:
        await poll(consumer, *left, into=found, wait_ms=_WAIT_MS, at_once=_AT_ONCE)
        for place in list(left):
            if await is_past(consumer, place, stretches[place].end):
                left.discard(place)
    return found


async def _positions(
    consumer: AIOKafkaConsumer, places: Collection[TopicPartition]
) -> dict[TopicPartition, int]:
    return {each: await consumer.position(each) for each in places}
