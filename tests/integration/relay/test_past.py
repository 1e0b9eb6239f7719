"""Where Kafka has forgotten to end a transaction, each record is still seen exactly once."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, combinations, product
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner
from sqlalchemy import false, select, true

from authbus import topics
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.models import OutboxRow
from authbus_service.outbox.repository import Record, Said
from authbus_service.relay.loop import Pace
from authbus_service.relay.manifest import KEY, manifest
from authbus_service.relay.past import Past
from authbus_service.relay.producer import Outgoing, TransactionalProducer
from tests.integration.relay.world import World, a_record, running, until
from tests.rig.hanging import forget, say_with_few_markers
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


def place_of(world: World, key: str) -> TopicPartition:
    among = list(range(FEW))
    return TopicPartition(
        topics.EVENTS.name(world.namespace), DefaultPartitioner()(key.encode(), among, among)
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


async def hold(world: World, cases: Iterable[tuple[str, Collection[TopicPartition]]]) -> None:
    expected: list[bytes] = []
    for n, (outcome, forgotten) in enumerate(cases):
        events = [an_event(key, f"{n}") for key in KEYS]
        expected += [b"%d" % n]
        await world.write(*events)
        await say(world, events, forgotten, outcome)
        await settle(world)

    seen: dict[bytes | None, list[bytes | None]] = {}
    for record in await world.read():
        seen.setdefault(record.key, []).append(record.value)
    assert seen == {key.encode(): expected for key in KEYS}


def places(world: World) -> list[TopicPartition]:
    found = [memory_of(world), *(place_of(world, key) for key in KEYS)]
    assert len({*found}) == len(found)
    return found


@pytest.mark.gate
async def test_a_missing_marker_is_written_as_the_others_are(world: World) -> None:
    memory, ana, ben = places(world)
    await hold(world, product(OUTCOMES, ([memory], [ana], [memory, ben])))


@pytest.mark.nightly
async def test_whatever_markers_are_missing_each_record_is_seen_once(world: World) -> None:
    await hold(world, product(OUTCOMES, [*subsets(places(world))]))


async def test_rows_that_another_relay_may_delete_are_known_to_be_said(world: World) -> None:
    event = an_event("ana", "hidden")
    past = Past(world.namespace, {"bootstrap_servers": world.servers}, world.database, world.epoch)

    await world.write(event)
    await say(world, [event], [place_of(world, "ana")], FORGOTTEN_TO_DELETE)
    producer = TransactionalProducer(
        past.client, transactional_id=f"{world.namespace}.relay", deadline=5
    )
    await producer.open()
    await past.settle(producer, provided=false())
    await producer.close()
    assert await world.waiting() == 1
    await settle(world)

    assert [record.value for record in await world.read()] == [b"hidden"]


async def test_older_transactions_that_hang_are_not_taken_for_the_last_one(world: World) -> None:
    first, last = an_event("ana", "first"), an_event("ben", "last")

    await world.write(first)
    await say(world, [first], [place_of(world, "ana")], COMMITTED)
    await world.write(last)
    await say(world, [last], [place_of(world, "ben")], ABORTED)
    await settle(world)

    assert sorted(record.value or b"" for record in await world.read()) == [b"first", b"last"]


async def test_a_relay_that_leads_notices_what_hangs(world: World) -> None:
    first, hidden = an_event("ana", "first"), an_event("ana", "hidden")
    relay = world.relay(
        lease_seconds=5.0, pace=Pace(deadline=0.5, heartbeat=60.0, first_retry=0.01, look=0.2)
    )

    async def shown() -> bool:
        return [record.value for record in await world.read()] == [b"first", b"hidden"]

    async with running(relay):
        await world.write(first)
        await world.until_said()
        producer = relay._producer._producer
        assert producer is not None
        forget(producer, [place_of(world, "ana")])
        await world.write(hidden)
        await world.until_said()
        assert not await shown()
        await until(shown)

    assert relay.state.restarts == {"hanging": 1}


async def test_a_first_transaction_that_takes_its_time_does_not_hang(world: World) -> None:
    past = Past(world.namespace, {"bootstrap_servers": world.servers}, world.database, world.epoch)
    place = place_of(world, "ana")

    async with AIOKafkaProducer(
        bootstrap_servers=world.servers, transactional_id=f"{world.namespace}.relay"
    ) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(place.topic, b"?", partition=place.partition)
        watching = asyncio.create_task(past.watch(0.05, 2.0))
        await asyncio.sleep(1.5)
        await producer.commit_transaction()
        found, _ = await asyncio.wait({watching}, timeout=3)
        watching.cancel()

    assert not found


async def test_a_strangers_open_transaction_stops_nobody(world: World) -> None:
    event = an_event("ana", "said")
    name = topics.EVENTS.name(world.namespace)

    async with AIOKafkaProducer(
        bootstrap_servers=world.servers, transactional_id=f"{world.namespace}.stranger"
    ) as stranger:
        await stranger.begin_transaction()
        await stranger.send_and_wait(name, b"?", partition=place_of(world, "ben").partition)
        await world.write(event)
        async with running(world.relay()):
            await world.until_said()
        await stranger.abort_transaction()

    assert [record.value for record in await world.read()] == [b"said"]
