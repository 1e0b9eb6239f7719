"""What the brokers that lead partitions say of them, asked by a producer that is open."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import LeaderNotAvailableError, for_code
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

KEY = b"start"
PAUSE = 0.002
_LONGEST_PAUSE = 0.2
_ANSWERER = -1
_LATEST = -1
_ALL = -1
_NOBODY = -1  # no producer's id, epoch or sequence: nothing that Kafka counts
_BATCH_BYTES = 1_024
_TIMEOUT_MS = 6_000
_Topics = list[tuple[str, list[int]]]
T = TypeVar("T")


async def places_on(producer: AIOKafkaProducer, topics: Iterable[str]) -> list[TopicPartition]:
    """Every partition of these topics. Raises KafkaError for a topic that is not there."""
    return [
        TopicPartition(topic, each)
        for topic in topics
        for each in sorted(await producer.partitions_for(topic))
    ]


async def ends(
    producer: AIOKafkaProducer, places: Iterable[TopicPartition], *, committed: bool
) -> Mapping[TopicPartition, int]:
    """How far readers, of what is committed or of all, can read, where a leader says so."""
    found: dict[TopicPartition, int] = {}
    for leader, theirs in leaders_of(producer, places).items():
        topics = [(topic, [(each, _LATEST) for each in parts]) for topic, parts in theirs]
        answer: Any = await producer.client.send(
            leader, OffsetRequest(_ANSWERER, int(committed), topics)
        )
        for topic, partitions in answer.topics:
            for partition, error, _, offset in partitions:
                if not error:
                    found[TopicPartition(topic, partition)] = offset
    await look_again(producer, set(places) - found.keys())
    return found


async def of_all(
    ask: Callable[[Collection[TopicPartition]], Awaitable[Mapping[TopicPartition, T]]],
    places: Collection[TopicPartition],
) -> Mapping[TopicPartition, T]:
    """Ask again until each of these places has its answer: ever less often, nobody may lead one."""
    found: dict[TopicPartition, T] = {}
    pause = PAUSE
    while left := set(places) - found.keys():
        found.update(await ask(left))
        if len(found) < len(places):
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
    return found


def leaders_of(
    producer: AIOKafkaProducer, places: Iterable[TopicPartition]
) -> Mapping[int, _Topics]:
    """Whom to ask for which partitions; those that have no leader are left out."""
    by_leader: dict[int, dict[str, list[int]]] = {}
    for place in sorted(places):
        leader: int | None = producer.client.cluster.leader_for_partition(place)
        if leader is not None and leader >= 0:
            theirs = by_leader.setdefault(leader, {})
            theirs.setdefault(place.topic, []).append(place.partition)
    return {leader: list(theirs.items()) for leader, theirs in by_leader.items()}


async def look_again(producer: AIOKafkaProducer, unknown: Collection[TopicPartition]) -> None:
    """Somebody else leads these by now, or nobody."""
    if unknown:
        await producer.client.force_metadata_update()


async def address_of(producer: AIOKafkaProducer, place: TopicPartition) -> str:
    """Where the leader of this place is reached. Raises KafkaError."""
    leader = await _leader(producer, place)
    broker: Any = producer.client.cluster.broker_metadata(leader)
    if broker is None:
        raise LeaderNotAvailableError
    host = f"[{broker.host}]" if ":" in broker.host else broker.host
    return f"{host}:{broker.port}"


async def vouched(producer: AIOKafkaProducer, place: TopicPartition) -> int:
    """The offset of a record that was just written there. Raises KafkaError.

    A broker that was cut off from the others, and has not heard yet that another leads by now,
    answers its readers with what it has. It takes no record for which all replicas have to vouch:
    whoever reads such a one has all that was there before it.

    The record is in no transaction, so that it ends none. It has no value: compaction removes it.
    """
    leader = await _leader(producer, place)
    topics = [(place.topic, [(place.partition, _record())])]
    asked = ProduceRequest(None, _ALL, _TIMEOUT_MS, topics)
    answer: Any = await producer.client.send(leader, asked)
    ((_, ((_, error, offset, *_),)),) = answer.topics
    if error:
        raise for_code(error)
    return offset


async def _leader(producer: AIOKafkaProducer, place: TopicPartition) -> int:
    await producer.partitions_for(place.topic)
    for leader in leaders_of(producer, [place]):
        return leader
    raise LeaderNotAvailableError


def _record() -> bytes:
    batch = DefaultRecordBatchBuilder(2, 0, 0, _NOBODY, _NOBODY, _NOBODY, _BATCH_BYTES)
    batch.append(0, None, KEY, None, [])
    return bytes(batch.build())
