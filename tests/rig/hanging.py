"""Transactions that hang, as a broker makes them that forgets some of their markers.

Only a broker that does not verify takes them; see servers.FOR_ALL.
"""

# pyright: reportPrivateUsage=false

from collections.abc import Collection, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

from authbus_service.relay.producer import Outgoing


def forget(producer: AIOKafkaProducer, places: Collection[TopicPartition]) -> None:
    """The coordinator does not hear that the next transaction goes to these places too."""
    insides: Any = producer
    insides._txn_manager._txn_partitions |= set(places)


async def say_with_few_markers(
    producer: AIOKafkaProducer,
    records: Sequence[Outgoing],
    forgotten: Collection[TopicPartition],
    *,
    commit: bool,
    elsewhere: TopicPartition,
    timestamp_ms: int | None = None,
) -> None:
    """One transaction of these records, each with its partition, that never ends on `forgotten`.

    A marker goes `elsewhere` too: Kafka ends no transaction that is nowhere. With a time of before,
    the records look as old as that.
    """
    insides: Any = producer
    await producer.begin_transaction()
    insides._txn_manager.maybe_add_partition_to_txn(elsewhere)
    forget(producer, forgotten)
    for record in records:
        sent = await producer.send(
            record.topic,
            record.value,
            record.key,
            partition=record.partition,
            timestamp_ms=timestamp_ms,
            headers=list(record.headers),
        )
        await sent
    await (producer.commit_transaction() if commit else producer.abort_transaction())
