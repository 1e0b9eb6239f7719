"""schemas/examples/log_in_counts.py: view and offset in one transaction, so each log-in once."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from asyncpg import Pool, create_pool

from authbus import SessionStarted
from authbus.topics import EVENTS
from authbus_service.core.clock import now
from log_in_counts import TABLES, LogIns, follow
from tests.integration.client.stand_in import PARTITIONS, StandIn

pytestmark = pytest.mark.slow

COUNT = "SELECT count FROM log_ins"


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Pool]:
    async with create_pool(database_url.replace("+asyncpg", ""), min_size=1, max_size=3) as pool:
        await pool.execute(TABLES)
        yield pool


async def tell(service: StandIn, how_many: int) -> None:
    """So many log-ins of as many users."""
    for _ in range(how_many):
        user = uuid4()
        event = SessionStarted(
            user_id=user,
            sequence=2,
            actor=f"user:{user}",
            causation_id=uuid4(),
            session_id=uuid4(),
            client_id="web",
            amr=("pwd",),
            expires_at=now(),
            lapses_at=now(),
        )
        await service.tell(EVENTS, str(user), event)


async def reaches(db: Pool, least: int) -> None:
    async with asyncio.timeout(60):
        while (await db.fetchval(COUNT) or 0) < least:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.1)


async def test_log_ins_are_counted_once_wherever_the_count_is_broken_off(
    service: StandIn, db: Pool
) -> None:
    topic, chance = service.name(EVENTS), Random(7)
    telling = asyncio.create_task(tell(service, 400))
    for _ in range(12):
        task = asyncio.create_task(follow(db, service.servers, topic, service.namespace))
        await asyncio.wait([task], timeout=chance.uniform(0.1, 0.8))
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()
    await telling

    task = asyncio.create_task(follow(db, service.servers, topic, service.namespace))
    await reaches(db, 400)
    await tell(service, 1)
    await reaches(db, 401)
    task.cancel()
    await asyncio.wait([task])

    assert await db.fetchval(COUNT) == 401


async def test_whoever_lost_a_partition_adds_nothing_and_whoever_has_it_adds_each_once(
    service: StandIn, db: Pool
) -> None:
    await tell(service, 12)
    topic = service.name(EVENTS)
    async with AIOKafkaConsumer(bootstrap_servers=service.servers) as consumer:
        consumer.assign(
            [TopicPartition(topic, number) for number in range(PARTITIONS[EVENTS.suffix])]
        )
        before, after = LogIns(db, consumer), LogIns(db, consumer)
        for each in (before, after):
            await each.on_partitions_assigned(consumer.assignment())
        async with asyncio.timeout(20):
            while not (found := await consumer.getmany(timeout_ms=500)):
                pass
        place, records = next(iter(found.items()))

        for fetched in (records[:1], records, records):
            await after.add(place, fetched)
        with pytest.raises(SystemExit):
            await before.add(place, records)

    assert await db.fetchval(COUNT) == len(records)
