"""How fast the running service says what is in its outbox, and how soon after a commit."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition

from authbus.topics import EVENTS
from authbus_service.core.database import Database, connect
from authbus_service.outbox.repository import Record, append
from tests.benchmarks.service import Running

BACKLOG = 100_000
A_SECOND = 100
_AT_ONCE = 5_000
_LOOK_SECONDS = 0.02
_TYPE = "authbus.SessionRefreshed.v1"
# As large as an event of a session is.
_PAYLOAD = b"{" + b'"session_id": "01990000-0000-7000-8000-000000000000", ' * 4 + b'"sequence": 1}'


@dataclass(frozen=True)
class Said:
    """Events a second of a backlog; ms from the end of a commit to a reader of what is committed.

    The latter while so many are committed a second, one a transaction.
    """

    rate: float
    p50: float
    p99: float


async def relayed(
    running: Running, servers: str, seconds: float, *, namespace: str = "auth"
) -> Said:
    """Both, through the relay of the service that runs."""
    database = connect(running.database_url)
    try:
        async with _reader(servers, namespace) as (consumer, places):
            await _soon(database, consumer, seconds / 2)  # warms it up
            took = sorted(await _soon(database, consumer, seconds))
            rate = await _backlog(database, consumer, places)
    finally:
        await database.close()
    return Said(rate, 1000 * took[len(took) // 2], 1000 * took[int(len(took) * 0.99)])


@asynccontextmanager
async def _reader(
    servers: str, namespace: str
) -> AsyncGenerator[tuple[AIOKafkaConsumer, Sequence[TopicPartition]]]:
    places = [TopicPartition(EVENTS.name(namespace), each) for each in range(EVENTS.partitions)]
    async with AIOKafkaConsumer(
        bootstrap_servers=servers, isolation_level="read_committed", enable_auto_commit=False
    ) as consumer:
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        for each in places:
            await consumer.position(each)
        yield consumer, places


async def _soon(database: Database, consumer: AIOKafkaConsumer, seconds: float) -> list[float]:
    """How long each took that was written at an even pace."""
    # Events of work before these may still come.
    keys = [f"{number}-{uuid4()}" for number in range(int(A_SECOND * seconds))]
    ours = {key.encode() for key in keys}
    committed: dict[bytes, float] = {}
    heard: dict[bytes, float] = {}

    async def listen() -> None:
        while len(heard) < len(ours):
            found = await consumer.getmany(timeout_ms=200)
            now = time.perf_counter()
            told = {each.key: now for part in found.values() for each in part if each.key in ours}
            heard.update(told)

    async def write(key: str, at: float) -> None:
        await asyncio.sleep(at - time.perf_counter())
        async with database.transaction() as db:
            await append(db, [_record(key)])
        committed[key.encode()] = time.perf_counter()

    began = time.perf_counter() + 0.2
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen())
        for number, key in enumerate(keys):
            tasks.create_task(write(key, began + number / A_SECOND))
    return [heard[key] - committed[key] for key in committed]


async def _backlog(
    database: Database, consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]
) -> float:
    """Events a second, from the commit of all of them to the last one's."""
    before = sum((await consumer.end_offsets(places)).values())
    async with database.transaction() as db:
        for begin in range(0, BACKLOG, _AT_ONCE):
            await append(
                db, [_record(f"user-{each % 1000}") for each in range(begin, begin + _AT_ONCE)]
            )
    began = time.perf_counter()
    # Ends count the markers of transactions too: some hundred among a hundred thousand.
    while sum((await consumer.end_offsets(places)).values()) < before + BACKLOG:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_SECONDS)
    return BACKLOG / (time.perf_counter() - began)


def _record(key: str) -> Record:
    headers = [("ce_type", _TYPE.encode()), ("ce_id", key.encode())]
    return Record(uuid4(), EVENTS, key, _TYPE, _PAYLOAD, headers)
