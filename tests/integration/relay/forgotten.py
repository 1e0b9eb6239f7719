"""Transactions that Kafka has forgotten to end, as earlier relays left them."""

from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import chain, combinations
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner
from sqlalchemy import select, true

from authbus import topics
from authbus.topics import Topic
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.models import OutboxRow
from authbus_service.outbox.repository import Record, Said
from authbus_service.relay.manifest import KEY, manifest
from authbus_service.relay.past import Past
from authbus_service.relay.producer import Outgoing, TransactionalProducer
from tests.integration.relay.world import World, a_record, running, until
from tests.rig.hanging import say_with_few_markers
from tests.rig.topics import FEW

# Of these keys each has a partition of its own.
KEYS = ("ana", "ben")
COMMITTED, FORGOTTEN_TO_DELETE, ABORTED, TORN = (
    "committed and deleted",
    "committed and not deleted",
    "aborted",
    "aborted before all was written",
)

OUTCOMES = (COMMITTED, FORGOTTEN_TO_DELETE, ABORTED, TORN)


def place_of(world: World, key: str, topic: Topic = topics.EVENTS) -> TopicPartition:
    among = list(range(FEW))
    return TopicPartition(
        topic.name(world.namespace), DefaultPartitioner()(key.encode(), among, among)
    )


def memory_of(world: World) -> TopicPartition:
    return TopicPartition(topics.RELAY.name(world.namespace), 0)


def an_event(key: str, value: str) -> Record:
    record = a_record(key, value.encode())
    return Record(
        record.id,
        record.topic,
        key,
        record.type,
        record.payload,
        [("ce_id", str(record.id).encode())],
    )


def a_pair(key: str, value: str) -> list[Record]:
    """A state and its event, as one command says them."""
    cause = ("ce_causationid", str(uuid4()).encode())
    event = an_event(key, value)
    event = replace(event, headers=[*event.headers, cause])
    id_ = uuid4()
    headers = [("ce_id", str(id_).encode()), cause]
    return [replace(event, id=id_, topic=topics.USERS_STATE, headers=headers), event]


def subsets(places: Collection[TopicPartition]) -> Iterator[tuple[TopicPartition, ...]]:
    return chain.from_iterable(combinations(places, n) for n in range(len(places) + 1))


async def rows(world: World, ids: Collection[UUID]) -> list[Said]:
    asked = select(OutboxRow.position, OutboxRow.id).where(OutboxRow.id.in_(ids))
    async with world.database.reading() as db:
        found = await db.execute(asked.order_by(OutboxRow.position))
        return [Said(*row) for row in found]


async def say(
    world: World, events: list[Record], forgotten: Collection[TopicPartition], outcome: str
) -> None:
    """As a relay would, on a broker that writes no marker to what is `forgotten`."""
    said = await rows(world, [event.id for event in events])
    written = events[:1] if outcome == TORN else events
    records = [
        Outgoing(
            event.topic.name(world.namespace),
            event.key.encode(),
            event.payload,
            event.headers,
            place_of(world, event.key).partition,
        )
        for event in written
        if event.topic != topics.RELAY
    ]
    memory = Outgoing(memory_of(world).topic, KEY, manifest(world.epoch, said), partition=0)
    async with AIOKafkaProducer(
        bootstrap_servers=world.servers, transactional_id=f"{world.namespace}.relay", acks="all"
    ) as producer:
        await say_with_few_markers(
            producer,
            [*records, memory],
            forgotten,
            commit=outcome in {COMMITTED, FORGOTTEN_TO_DELETE},
            elsewhere=TopicPartition(topics.AUDIT.name(world.namespace), 0),
        )
    if outcome == COMMITTED:
        async with world.database.transaction() as db:
            await outbox.remove(db, said, provided=true())


async def settle(world: World) -> None:
    """A relay begins, looks for rows once the past is settled, and says what there is."""
    relay = world.relay()

    async def looked() -> bool:
        return relay.state.last_look_at is not None

    async with running(relay):
        await until(looked)
        await world.until_said()


def places(world: World) -> list[TopicPartition]:
    found = [memory_of(world), *(place_of(world, key) for key in KEYS)]
    assert len({*found}) == len(found)
    return found


def past_of(world: World) -> Past:
    return Past(world.namespace, {"bootstrap_servers": world.servers}, world.database, world.epoch)


@asynccontextmanager
async def a_producer(world: World) -> AsyncGenerator[TransactionalProducer]:
    """The relay's, opened; it is thrown away at the end."""
    producer = TransactionalProducer(
        {"bootstrap_servers": world.servers},
        transactional_id=f"{world.namespace}.relay",
        deadline=5,
    )
    await producer.open()
    try:
        yield producer
    finally:
        await producer.close()


async def seen(world: World) -> Mapping[bytes | None, list[bytes | None]]:
    """The events of each key that readers of what is committed get."""
    found: dict[bytes | None, list[bytes | None]] = {}
    for record in await world.read():
        found.setdefault(record.key, []).append(record.value)
    return found
