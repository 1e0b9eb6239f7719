"""A downstream module that counts log-ins, each once: count and offset are one transaction.

One more is not a thing that may be done twice. So the offset is kept in PostgreSQL, beside the
count; Kafka's own is not used, and the group only shares out the partitions among processes.
"""

import asyncio
import os
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from asyncpg import Pool, create_pool

from authbus import SessionStarted

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
NAMESPACE = os.environ.get("AUTHBUS_NAMESPACE", "auth")
TABLES = """
CREATE TABLE IF NOT EXISTS log_ins (client_id text PRIMARY KEY, count bigint NOT NULL);
CREATE TABLE IF NOT EXISTS log_in_offsets (partition int PRIMARY KEY, next bigint NOT NULL)"""
NEXT = "SELECT next FROM log_in_offsets WHERE partition = $1"
# Moves nothing where another process was given the partition meanwhile and has gone on.
MOVE = """INSERT INTO log_in_offsets AS known VALUES ($1, $3)
ON CONFLICT (partition) DO UPDATE SET next = $3 WHERE known.next = $2 RETURNING true"""
ADD = """INSERT INTO log_ins AS known VALUES ($1, 1)
ON CONFLICT (client_id) DO UPDATE SET count = known.count + 1"""
LOG_IN = ("ce_type", b"authbus.SessionStarted.v1")

Records = Sequence[ConsumerRecord[bytes, bytes]]


class LogIns(ConsumerRebalanceListener):
    """The counts, and how far each partition is in them."""

    def __init__(self, db: Pool, consumer: AIOKafkaConsumer) -> None:
        self._db, self._consumer = db, consumer
        self._next: dict[TopicPartition, int] = {}

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, assigned: Iterable[TopicPartition]
    ) -> None:
        """Go on where the table is."""
        for place in assigned:
            self._next[place] = await self._db.fetchval(NEXT, place.partition) or 0
            self._consumer.seek(place, self._next[place])

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, revoked: Iterable[TopicPartition]
    ) -> None:
        """Whoever has them next finds in the table how far they are."""
        for place in revoked:
            self._next.pop(place, None)

    async def add(self, place: TopicPartition, records: Records) -> None:
        """Count what is new in these, or nothing at all."""
        start, done = self._next.get(place), records[-1].offset + 1
        if start is None or done <= start:
            return  # fetched before it was known where to begin
        async with self._db.acquire() as db, db.transaction():
            if not await db.fetchval(MOVE, place.partition, start, done):
                raise SystemExit("another process has this partition: start anew")
            for record in records:
                if record.offset >= start and LOG_IN in record.headers:
                    event = SessionStarted.model_validate_json(record.value or b"")
                    await db.execute(ADD, event.client_id)
        self._next[place] = done


async def follow(db: Pool, servers: str, topic: str, group: str = "log-in-counts") -> None:
    """Count for ever."""
    async with AIOKafkaConsumer(
        bootstrap_servers=servers,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    ) as consumer:
        counts = LogIns(db, consumer)
        consumer.subscribe([topic], listener=counts)
        while True:
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                await counts.add(place, records)
                for client_id, count in await db.fetch("SELECT * FROM log_ins"):
                    print("log-ins by", client_id, count, flush=True)


async def main() -> None:
    async with create_pool(os.environ["DATABASE_URL"], min_size=1, max_size=2) as db:
        await db.execute(TABLES)
        await follow(db, SERVERS, f"{NAMESPACE}.events.v1")


if __name__ == "__main__":
    asyncio.run(main())
