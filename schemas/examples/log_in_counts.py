"""A downstream module that counts log-ins, each once: count and offset are one transaction.

Adding one is not a thing that may happen twice, so the offset lives beside the count, in PostgreSQL,
and Kafka's own offset is not used. The group only shares the partitions among processes.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition

from authbus import SessionStarted

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
NAMESPACE = os.environ.get("AUTHBUS_NAMESPACE", "auth")
TABLES = """
CREATE TABLE IF NOT EXISTS log_ins (client_id text PRIMARY KEY, count bigint NOT NULL);
CREATE TABLE IF NOT EXISTS log_in_offsets (partition int PRIMARY KEY, next bigint NOT NULL)"""
ADD = """INSERT INTO log_ins AS known VALUES ($1, 1)
ON CONFLICT (client_id) DO UPDATE SET count = known.count + 1"""
# Nothing, where another process has gone on meanwhile: whoever lost a partition adds nothing to it.
MOVE = """INSERT INTO log_in_offsets AS known VALUES ($1, $3)
ON CONFLICT (partition) DO UPDATE SET next = excluded.next WHERE known.next = $2 RETURNING 1"""

Records = Sequence[ConsumerRecord[bytes | None, bytes | None]]


class LogIns(ConsumerRebalanceListener):
    """The view, and where in each partition it is."""

    def __init__(self, db: asyncpg.Connection[Any], consumer: AIOKafkaConsumer) -> None:
        self._db, self._consumer = db, consumer
        self._next: dict[TopicPartition, int] = {}
