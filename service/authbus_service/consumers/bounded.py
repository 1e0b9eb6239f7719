"""No batch can stop the service, nor many: every consumer of its process reads within bounds."""

from collections.abc import Sequence
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import fetcher

from authbus.kafka.batches import BoundedRecords
from authbus.kafka.following import Record

# Hundreds of commands of any producer; of bombs it is one, which may unpack to 4 MiB.
_LARGEST_POLL = 2 * 1024 * 1024
# What a header takes beside its name and its value: two bytes of a batch may be one.
_HEADER_BYTES = 64


class Parts(Protocol):
    """A record, by whatever library."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


def size_of(record: Parts) -> int:
    """How many bytes it takes in memory, more or less."""
    return len(record.key or b"") + len(record.value or b"") + size_of_headers(record.headers)


def size_of_headers(headers: Sequence[tuple[str, bytes | None]]) -> int:
    """The same of headers alone."""
    size = _HEADER_BYTES * len(headers)
    for name, value in headers:  # a sum takes half as long again
        size += len(name) + len(value or b"")
    return size


def read_bounded() -> None:
    """Let every consumer of this process read its fetches through `BoundedRecords`."""
    fetcher.MemoryRecords = BoundedRecords


async def poll(
    consumer: AIOKafkaConsumer,
    *places: TopicPartition,
    into: list[Record],
    wait_ms: int,
    at_once: int,
) -> None:
    """Add what came next, of these places or of all, also when an error comes behind it.

    One batch at a time: it is unpacked when its first record is asked for. After the first one
    nothing is waited for, so no rebalance comes between two of them. Raises KafkaError.
    """
    size, more, asked = 0, 0, places
    while len(into) < at_once and (more or size < _LARGEST_POLL):
        most = min(more or 1, at_once - len(into))
        came = await consumer.getmany(*asked, timeout_ms=0 if into else wait_ms, max_records=most)
        for place, found in came.items():
            into += found
            size += sum(map(size_of, found))
            asked, more = _ahead(consumer, place, places)
        if not came and asked == places:
            break
        if not came:
            asked, more = places, 0


def _ahead(
    consumer: AIOKafkaConsumer, place: TopicPartition, places: tuple[TopicPartition, ...]
) -> tuple[tuple[TopicPartition, ...], int]:
    """Where to ask next, and how many records lie unpacked there: to take them unpacks no more.

    While more of a fetch is left there aiokafka would look there first; to ask for it is quicker.
    Where an aiokafka has other names, nothing is known of it, and one is asked for at a time.
    """
    fetched: Any = getattr(getattr(consumer, "_fetcher", None), "_records", {}).get(place)
    records = getattr(getattr(fetched, "_partition_records", None), "_records", None)
    return ((place,), records.unpacked) if isinstance(records, BoundedRecords) else (places, 0)
