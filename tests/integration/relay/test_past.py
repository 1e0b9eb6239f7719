"""Where Kafka has forgotten to end a transaction, each record is still seen exactly once."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Collection, Iterable
from itertools import product

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from sqlalchemy import false

from authbus import topics
from authbus_service.outbox.repository import append
from authbus_service.relay import loop
from authbus_service.relay.errors import LeaseLostError
from authbus_service.relay.loop import Pace, Relay
from tests.integration.relay.forgotten import (
    ABORTED,
    COMMITTED,
    FORGOTTEN_TO_DELETE,
    KEYS,
    OUTCOMES,
    a_pair,
    a_producer,
    an_event,
    past_of,
    place_of,
    places,
    say,
    seen,
    settle,
    subsets,
)
from tests.integration.relay.world import World, running, until
from tests.rig.hanging import forget


async def hold(world: World, cases: Iterable[tuple[str, Collection[TopicPartition]]]) -> None:
    expected: list[bytes] = []
    for n, (outcome, forgotten) in enumerate(cases):
        events = [an_event(key, f"{n}") for key in KEYS]
        expected += [b"%d" % n]
        await world.write(*events)
        await say(world, events, forgotten, outcome)
        await settle(world)

    assert await seen(world) == {key.encode(): expected for key in KEYS}


@pytest.mark.gate
async def test_a_missing_marker_is_written_as_the_others_are(world: World) -> None:
    memory, ana, ben = places(world)
    await hold(world, product(OUTCOMES, ([memory], [ana], [memory, ben])))


@pytest.mark.nightly
async def test_whatever_markers_are_missing_each_record_is_seen_once(world: World) -> None:
    await hold(world, product(OUTCOMES, [*subsets(places(world))]))


async def test_what_hangs_is_left_to_who_has_the_lease(world: World) -> None:
    event = an_event("ana", "hidden")

    await world.write(event)
    await say(world, [event], [place_of(world, "ana")], FORGOTTEN_TO_DELETE)
    async with a_producer(world) as producer:
        with pytest.raises(LeaseLostError):
            await past_of(world).settle(producer, provided=false())
    assert await world.waiting() == 1
    await settle(world)

    assert await seen(world) == {b"ana": [b"hidden"]}


async def test_older_transactions_that_hang_are_not_taken_for_the_last_one(world: World) -> None:
    first, last = an_event("ana", "first"), an_event("ben", "last")

    await world.write(first)
    await say(world, [first], [place_of(world, "ana")], COMMITTED)
    await world.write(last)
    await say(world, [last], [place_of(world, "ben")], ABORTED)
    await settle(world)

    assert sorted(record.value or b"" for record in await world.read()) == [b"first", b"last"]


async def until_leading(relay: Relay) -> AIOKafkaProducer:
    """Its producer, once it looks for rows."""

    async def looked() -> bool:
        return relay.state.last_look_at is not None

    await until(looked)
    producer = relay._producer._producer
    assert producer is not None
    return producer


HASTY = Pace(deadline=0.5, heartbeat=60.0, first_retry=0.01)
PATIENT = Pace(deadline=20.0, heartbeat=60.0, first_retry=0.01)


async def let_hang(world: World, relay: Relay) -> None:
    """A running relay says `hidden`, which never ends, while another event waits behind it."""

    async def is_there() -> bool:
        records = await world.read(isolation="read_uncommitted")
        return b"hidden" in [record.value for record in records]

    await world.write(an_event("ana", "first"))
    await world.until_said()
    forget(await until_leading(relay), [place_of(world, "ana")])
    await world.write(an_event("ana", "hidden"))
    await until(is_there)
    await world.write(an_event("ana", "behind"))


async def test_a_relay_that_leads_ends_what_hangs_before_it_says_more(world: World) -> None:
    relay = world.relay(lease_seconds=5.0, pace=HASTY)

    async with running(relay):
        await let_hang(world, relay)
        await world.until_said()
    there = await world.read(isolation="read_uncommitted")

    assert relay.state.restarts == {"hanging": 1}
    assert [each.value for each in there] == [b"first", b"hidden", b"hidden", b"behind"]
    assert await seen(world) == {b"ana": [b"first", b"hidden", b"behind"]}


async def test_what_hangs_keeps_its_row_and_nothing_is_said_behind_it(world: World) -> None:
    relay = world.relay(lease_seconds=5.0, pace=PATIENT)

    async with running(relay):
        await let_hang(world, relay)
        await asyncio.sleep(1)
        waiting = await world.waiting()
        there = await world.read(isolation="read_uncommitted")
    await settle(world)

    assert waiting == 2
    assert [each.value for each in there] == [b"first", b"hidden"]
    assert await seen(world) == {b"ana": [b"first", b"hidden", b"behind"]}


async def test_a_marker_that_comes_late_is_waited_for(world: World) -> None:
    relay = world.relay(lease_seconds=5.0, pace=PATIENT)
    topic, partition = place_of(world, "ana")

    async with running(relay):
        await let_hang(world, relay)
        producer = await until_leading(relay)
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"late", b"ana", partition=partition)
        await producer.commit_transaction()
        await world.until_said()

    assert relay.state.restarts == {}
    assert await seen(world) == {b"ana": [b"first", b"hidden", b"late", b"behind"]}


async def test_a_state_that_was_hidden_is_said_before_the_next_of_its_user(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_ROWS", 2)
    relay = world.relay(lease_seconds=5.0, pace=HASTY)
    states = place_of(world, "ana", topics.USERS_STATE)

    async with running(relay):
        await world.write(an_event("ben", "first"))
        await world.until_said()
        forget(await until_leading(relay), [states])
        async with world.database.transaction() as db:
            for number in range(6):
                await append(db, a_pair("ana", f"{number}"))
        await world.until_said()

    assert relay.state.restarts == {"hanging": 1}
    expected = [b"%d" % number for number in range(6)]
    assert [each.value for each in await world.read(topics.USERS_STATE)] == expected
    assert await seen(world) == {b"ben": [b"first"], b"ana": expected}


async def test_a_first_transaction_that_takes_its_time_does_not_hang(world: World) -> None:
    place = place_of(world, "ana")

    async with AIOKafkaProducer(
        bootstrap_servers=world.servers, transactional_id=f"{world.namespace}.relay"
    ) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(place.topic, b"?", partition=place.partition)
        watching = asyncio.create_task(past_of(world).watch(0.05, 2.0))
        await asyncio.sleep(1.5)
        await producer.commit_transaction()
        found, _ = await asyncio.wait({watching}, timeout=3)
        watching.cancel()

    assert not found
