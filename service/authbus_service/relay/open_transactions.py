"""Where transactions are open, by the leaders of the partitions.

The answer to EndTxn says that Kafka has decided, not that every partition has heard of it: the
markers follow, and one may be forgotten. Only each partition can tell, so each is asked.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

from authbus_service.relay.errors import HangingError
from authbus_service.relay.partition_leaders import PAUSE, ends, leaders_of, look_again, of_all

Open = Mapping[int, int]  # the first offset of each producer's transaction, by the producer's id
# A marker comes in a few milliseconds. For one that takes longer the producers are asked for.
_USUAL = 0.05


class _DescribeProducersResponse(Response):
    API_KEY = 61  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]
    API_VERSION = 0  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition_index", Int32),
                        ("error_code", Int16),
                        ("error_message", CompactString("utf-8")),
                        (
                            "active_producers",
                            CompactArray(
                                ("producer_id", Int64),
                                ("producer_epoch", Int32),
                                ("last_sequence", Int32),
                                ("last_timestamp", Int64),
                                ("coordinator_epoch", Int32),
                                ("current_txn_start_offset", Int64),
                                ("tags", TaggedFields),
                            ),
                        ),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _DescribeProducersRequest(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 61
    API_VERSION = 0
    RESPONSE_TYPE = _DescribeProducersResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("partition_indexes", CompactArray(Int32)),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _DescribeProducers(Request[_DescribeProducersRequest]):
    API_KEY = 61

    def __init__(self, topics: Iterable[tuple[str, list[int]]]) -> None:
        self._topics = [(topic, partitions, {}) for topic, partitions in topics]

    def build(
        self, request_struct_class: type[_DescribeProducersRequest]
    ) -> _DescribeProducersRequest:
        return request_struct_class(self._topics, {})


async def until_over(
    producer: AIOKafkaProducer, said: Mapping[TopicPartition, int], seconds: float
) -> None:
    """Wait until no transaction of this producer's is open at these offsets, nor ever will be.

    That is when readers of what is committed are past them: not before the marker is on every
    replica that may lead. Where another producer's transaction holds readers back, it is when only
    that one is open. Raises HangingError when that takes longer.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    left = dict(said)
    while True:
        stable = await ends(producer, left, committed=True)
        left = {place: offset for place, offset in left.items() if stable.get(place, -1) <= offset}
        if left and loop.time() - begun > _USUAL:
            found = await _open(producer, left)
            left = {p: o for p, o in left.items() if not _is_anothers(producer, found.get(p), o)}
        if not left:
            return
        if loop.time() - begun > seconds:
            raise HangingError(f"a transaction of ours does not end on {names(left)}")
        await asyncio.sleep(PAUSE)


async def open_on(
    producer: AIOKafkaProducer, places: Collection[TopicPartition]
) -> Mapping[TopicPartition, Open]:
    """The transactions that are open on these places. Waits for their leaders."""
    for topic in {place.topic for place in places}:
        await producer.partitions_for(topic)
    return await of_all(partial(_open, producer), places)


def id_of(producer: AIOKafkaProducer) -> int:
    """Under which all transactions of its transactional id stand, for as long as Kafka knows it."""
    insides: Any = producer
    return insides._txn_manager.producer_id  # noqa: SLF001


def names(places: Iterable[TopicPartition]) -> list[str]:
    return sorted(f"{place.topic}-{place.partition}" for place in places)


def _is_anothers(producer: AIOKafkaProducer, found: Open | None, offset: int) -> bool:
    mine = id_of(producer)
    return bool(found) and mine not in found and min(found.values()) <= offset


async def _open(
    producer: AIOKafkaProducer, places: Iterable[TopicPartition]
) -> Mapping[TopicPartition, Open]:
    """The transactions that are open on these places, where a leader says so."""
    found: dict[TopicPartition, Open] = {}
    for leader, theirs in leaders_of(producer, places).items():
        answer: Any = await producer.client.send(leader, _DescribeProducers(theirs))
        for topic, partitions, _ in answer.topics:
            for partition, error, _, producers, _ in partitions:
                if not error:
                    begun = {each[0]: each[5] for each in producers if each[5] >= 0}
                    found[TopicPartition(topic, partition)] = begun
    await look_again(producer, set(places) - found.keys())
    return found
