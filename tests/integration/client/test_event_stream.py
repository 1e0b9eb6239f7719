"""EventStream against a real Kafka: each event once, in order, and nothing committed too early."""

import asyncio
from collections import Counter
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from authbus import Event, EventStream, Gap, StreamEvent, UserCreated, topics
from tests.integration.client.conftest import NewStream
from tests.integration.client.stand_in import StandIn, created, until


class AvatarPainted(Event):
    """A kind of event that this version does not know."""


async def take(stream: EventStream, count: int) -> list[StreamEvent]:
    """The next events, the last one unfinished."""
    heard: list[StreamEvent] = []
    async with asyncio.timeout(15), stream:
        async for event in stream:
            heard.append(event)
            if len(heard) == count:
                break
    return heard


async def tell(service: StandIn, user_id: UUID, *sequences: int) -> None:
    for sequence in sequences:
        await service.tell(topics.EVENTS, str(user_id), created(user_id, sequence))


def sequences(heard: list[StreamEvent]) -> list[int]:
    return [event.sequence for event in heard]


async def test_a_new_group_hears_every_event_from_the_first_in_each_users_order(
    service: StandIn, new_stream: NewStream
) -> None:
    users = [uuid4() for _ in range(5)]
    for sequence in range(1, 21):
        for user_id in users:
            await tell(service, user_id, sequence)

    heard = await take(new_stream(), 100)

    for user_id in users:
        mine = [event for event in heard if event.user_id == user_id]
        assert sequences(mine) == list(range(1, 21))
    assert {event.gap for event in heard} == {None}
    assert isinstance(heard[0].data, UserCreated)
    assert heard[0].causation_id == heard[0].data.causation_id


async def test_duplicates_are_dropped_and_a_gap_is_told(
    service: StandIn, new_stream: NewStream
) -> None:
    user_id, twice = uuid4(), uuid4()
    await tell(service, user_id, 1, 2, 2, 1, 3, 6, 7)
    await service.tell(topics.EVENTS, str(user_id), created(user_id, 8), event_id=twice)
    await service.tell(topics.EVENTS, str(user_id), created(user_id, 9), event_id=twice)
    await tell(service, user_id, 10)

    heard = await take(new_stream(), 7)

    assert sequences(heard) == [1, 2, 3, 6, 7, 8, 10]
    assert [event.gap for event in heard if event.gap] == [Gap(4, 6), Gap(9, 10)]


async def test_kinds_that_are_not_known_are_passed_over_and_are_no_gap(
    service: StandIn, new_stream: NewStream
) -> None:
    user_id = uuid4()
    await tell(service, user_id, 1)
    unknown = AvatarPainted(**created(user_id, 2).model_dump())
    await service.tell(topics.EVENTS, str(user_id), unknown)
    await service.producer.send_and_wait(
        service.name(topics.EVENTS), b"\xff not an event", key=str(user_id).encode()
    )
    await tell(service, user_id, 3)

    heard = await take(new_stream(), 2)

    assert sequences(heard) == [1, 3]
    assert heard[1].gap is None


async def test_events_of_an_aborted_transaction_are_not_heard(
    service: StandIn, new_stream: NewStream
) -> None:
    user_id = uuid4()
    await tell(service, user_id, 1)
    async with AIOKafkaProducer(
        bootstrap_servers=service.servers, transactional_id=service.namespace
    ) as producer:
        await producer.begin_transaction()
        service.producer, usual = producer, service.producer
        await tell(service, user_id, 2)
        service.producer = usual
        await producer.abort_transaction()
    await tell(service, user_id, 2)

    heard = await take(new_stream(), 2)

    assert sequences(heard) == [1, 2]
    assert heard[1].offset > heard[0].offset + 1


async def test_what_is_finished_is_not_heard_again_and_what_is_not_is(
    service: StandIn, new_stream: NewStream
) -> None:
    user_id = uuid4()
    await tell(service, user_id, 1, 2, 3, 4)

    first = await take(new_stream(), 2)
    second = await take(new_stream(), 3)

    assert sequences(first) == [1, 2]
    assert sequences(second) == [2, 3, 4]


async def test_an_event_whose_body_raised_comes_again_in_the_next_loop(
    service: StandIn, new_stream: NewStream
) -> None:
    await tell(service, uuid4(), 1, 2, 3)
    heard: list[int] = []
    async with asyncio.timeout(15), new_stream() as stream:
        with suppress(RuntimeError):
            async for event in stream:
                heard.append(event.sequence)
                if event.sequence == 2:
                    raise RuntimeError
        async for event in stream:
            heard.append(event.sequence)
            if event.sequence == 3:
                break

    assert heard == [1, 2, 2, 3]


async def test_a_loop_that_opened_the_stream_closes_it_when_it_is_left(
    service: StandIn, new_stream: NewStream
) -> None:
    await tell(service, uuid4(), 1, 2)
    stream = new_stream()

    async with asyncio.timeout(15):
        async for _ in stream:
            break
        await until(lambda: not stream.open)

    assert sequences(await take(stream, 2)) == [1, 2]


async def test_commits_are_few_and_the_last_one_is_made_on_leaving(
    service: StandIn, new_stream: NewStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[int] = []
    commit = AIOKafkaConsumer.commit

    async def counted(consumer: AIOKafkaConsumer, offsets: dict[object, int]) -> None:
        commits.append(sum(offsets.values()))
        await commit(consumer, offsets)

    monkeypatch.setattr(AIOKafkaConsumer, "commit", counted)
    user_id = uuid4()
    await asyncio.gather(*(tell(service, user_id, number) for number in range(1, 1201)))

    await take(new_stream(), 1200)

    assert commits[-1] == 1199
    assert len(commits) < 12


async def test_a_partition_that_changes_hands_is_read_on_where_it_was_and_is_no_gap(
    service: StandIn, new_stream: NewStream
) -> None:
    users = [uuid4(), uuid4()]

    async def tell_both(first: int, last: int) -> None:
        for partition, user_id in enumerate(users):
            for sequence in range(first, last + 1):
                event = created(user_id, sequence)
                await service.tell(topics.EVENTS, str(user_id), event, partition)

    async def listen(heard: list[StreamEvent]) -> None:
        async for event in new_stream():
            heard.append(event)  # noqa: PERF401 - read while it grows

    await tell_both(1, 10)
    async with asyncio.timeout(30), new_stream() as stays:
        events = aiter(stays)
        mine = [await anext(events) for _ in range(20)]
        await tell_both(11, 60)
        mine += [await anext(events) for _ in range(5)]

        theirs: list[StreamEvent] = []
        guest = asyncio.create_task(listen(theirs))
        await until(lambda: any(event.sequence == 60 for event in theirs))
        guest.cancel()
        await asyncio.wait([guest])
        await tell_both(61, 61)
        while sum(event.sequence == 61 for event in mine) < 2:
            mine.append(await anext(events))

    heard = Counter((event.user_id, event.sequence) for event in mine + theirs)
    assert set(heard) == {(user_id, number) for user_id in users for number in range(1, 62)}
    assert heard.total() <= len(heard) + 1
    assert {event.gap for event in mine + theirs} == {None}
