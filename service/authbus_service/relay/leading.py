"""How far the one broker that leads a partition has it.

A broker that was cut off from the others, and has not heard yet that another leads by now, answers
its readers with what it has. It takes no record for which all replicas have to vouch: whoever finds
such a one where he reads has all that was there before it.

The record is in no transaction, so that it ends none. It has no value: compaction removes it.
"""

from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import LeaderNotAvailableError, for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

KEY = b"start"
_ALL = -1
_NOBODY = -1  # no producer's id, epoch or sequence: nothing that Kafka counts
_BATCH_BYTES = 1_024
_TIMEOUT_MS = 6_000


async def vouched(producer: AIOKafkaProducer, place: TopicPartition) -> int:
    """The offset of a record that was just written there. Raises KafkaError."""
    await producer.partitions_for(place.topic)
    leader: int | None = producer.client.cluster.leader_for_partition(place)
    if leader is None or leader < 0:
        raise LeaderNotAvailableError
    topics = [(place.topic, [(place.partition, _record())])]
    asked = ProduceRequest(None, _ALL, _TIMEOUT_MS, topics)
    answer: Any = await producer.client.send(leader, asked)
    ((_, ((_, error, offset, *_),)),) = answer.topics
    if error:
        raise for_code(error)
    return offset


def _record() -> bytes:
    batch = DefaultRecordBatchBuilder(2, 0, 0, _NOBODY, _NOBODY, _NOBODY, _BATCH_BYTES)
    batch.append(0, None, KEY, None, [])
    return bytes(batch.build())
