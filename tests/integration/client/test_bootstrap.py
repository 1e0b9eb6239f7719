"""All users, then events: on a real Kafka, with writers, erasures and the cleaner in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from authbus import (
    ProfileUpdated,
    SessionEnded,
    SnapshotBegins,
    SnapshotEnds,
    StreamEvent,
    UserCreated,
    UserErased,
    UserState,
)
from authbus.stream import Told
from authbus.topics import EVENTS, USERS_STATE
from tests.integration.client.conftest import NewStream
from tests.integration.client.crowd import (
    HASTY,
    Crowd,
    a_crowd,
    a_state,
    hurry_the_cleaner,
)
from tests.integration.client.stand_in import StandIn, created
from tests.integration.client.telling import ended, events, so_many, take, until_quiet, users


async def first_user(telling: AsyncIterator[Told]) -> UserState:
    """The first user who is told, also where a group that was lost begins again before."""
    return await anext(told async for told in telling if isinstance(told, UserState))


async def test_each_living_user_is_told_once_and_events_go_on_from_there(
    crowd: Crowd, new_stream: NewStream
) -> None:
    ana, bob, cyd = [await crowd.join() for _ in range(3)]
    await crowd.change(ana)
    await crowd.meet(bob)
    await crowd.erase(cyd)

    async def later() -> None:
        await crowd.meet(ana)
        await crowd.change(bob)
        await crowd.erase(ana)

    heard: list[Told] = []
    async with asyncio.timeout(20), new_stream() as stream, aclosing(stream.bootstrap()) as telling:
        async for told in telling:
            heard.append(told)
            if isinstance(told, SnapshotEnds):
                await later()
            if len(events(heard)) == 3:
                break

    assert heard[0] == SnapshotBegins(fresh=True)
    assert users(heard[1:3]) == {ana: 2, bob: 1}
    assert heard[3] == SnapshotEnds(users=2)
    assert sorted(events(heard)) == sorted([(ana, 3), (bob, 3), (ana, 4)])
    assert {each.gap for each in heard if isinstance(each, StreamEvent)} == {None}
    assert users(heard[4:]) == {bob: 3}
    (erased,) = [each for each in heard if isinstance(each, StreamEvent) and each.sequence == 4]
    assert isinstance(erased.data, UserErased)


async def test_events_that_a_state_has_in_it_do_not_come_again(
    crowd: Crowd, new_stream: NewStream
) -> None:
    ana, bob = await crowd.join(), uuid4()
    heard: list[Told] = []
    async with asyncio.timeout(20), new_stream() as stream, aclosing(stream.bootstrap()) as telling:
        async for told in telling:
            heard.append(told)
            if isinstance(told, SnapshotBegins):
                # The end of the events is taken, the states are not yet read.
                await crowd.commit((ana, ProfileUpdated), (bob, UserCreated))
                await crowd.commit((bob, SessionEnded), (ana, SessionEnded))
            if len(heard) == 6:
                break

    assert users(heard) == {ana: 2, bob: 1}
    assert sorted(events(heard)) == sorted([(ana, 3), (bob, 2)])


async def test_a_state_whose_transaction_is_still_open_is_waited_for(
    crowd: Crowd, new_stream: NewStream, service: StandIn
) -> None:
    # Kafka ends a transaction in one partition after the other: here the event is seen before.
    ana = uuid4()
    value, key = a_state(ana, 1).model_dump_json().encode(), str(ana).encode()
    async with AIOKafkaProducer(
        bootstrap_servers=service.servers, transactional_id=f"{service.namespace}.slow"
    ) as slow:
        await slow.begin_transaction()
        await slow.send_and_wait(service.name(USERS_STATE), value, key=key)
        await service.tell(EVENTS, str(ana), created(ana, 1))
        async with new_stream() as stream, aclosing(stream.bootstrap()) as telling:
            first = asyncio.create_task(first_user(telling))
            await asyncio.sleep(3)
            early = first.done()
            await slow.commit_transaction()
            state = await first

    assert not early
    assert (state.user_id, state.sequence) == (ana, 1)


async def test_who_is_told_is_told_once_for_each_group_and_events_go_on(
    crowd: Crowd, new_stream: NewStream
) -> None:
    ana = await crowd.join()
    await crowd.meet(ana)

    first = await until_quiet(new_stream())
    await crowd.meet(ana)
    second = await take(new_stream(), so_many(1))
    other = await take(new_stream("another"), ended)

    assert users(first) == users(other) == {ana: 1}
    assert events(second) == [(ana, 3)]


async def test_a_state_comes_before_the_event_that_made_it_also_in_the_next_loop(
    crowd: Crowd, new_stream: NewStream
) -> None:
    first = await until_quiet(new_stream())
    ana = await crowd.join()
    await crowd.meet(ana)
    second = await take(new_stream(), lambda heard: (ana, 2) in events(heard))
    await crowd.change(ana)
    await crowd.change(ana)
    third = await take(new_stream(), lambda heard: (ana, 4) in events(heard))

    assert users(first) == {}
    assert [type(each) for each in second[-3:]] == [UserState, StreamEvent, StreamEvent]
    assert [
        (type(each), each.sequence) for each in third if isinstance(each, UserState | StreamEvent)
    ] == [
        (UserState, 3),
        (UserState, 4),
        (StreamEvent, 2),  # the last one of a loop comes again
        (StreamEvent, 3),
        (StreamEvent, 4),
    ]


async def test_a_loop_that_ended_early_begins_again_and_knows_of_erasures_in_between(
    service: StandIn, new_stream: NewStream
) -> None:
    await hurry_the_cleaner(service.servers)
    async with a_crowd(service, HASTY) as crowd:
        ana, bob = await crowd.join(), await crowd.join()
        first = await take(new_stream(), so_many(3))
        await crowd.erase(ana)
        await crowd.until_compacted()
        keys = {each.key for each in await crowd.states()}
        second = await take(new_stream(), lambda heard: ana in dict(events(heard)))

    assert users(first).keys() == {ana, bob}
    assert str(ana).encode() not in keys
    assert second[0] == SnapshotBegins(fresh=False)
    assert users(second).keys() == {bob}
    assert [each for each in events(second) if each[0] in {ana, bob}] == [(ana, 2)]


async def test_a_loop_that_was_left_while_it_told_users_leaves_the_events_to_the_next_one(
    crowd: Crowd, new_stream: NewStream
) -> None:
    ana = await crowd.join()
    async with asyncio.timeout(20), new_stream() as stream:
        async with aclosing(stream.bootstrap()) as telling:
            assert (await first_user(telling)).user_id == ana
        await crowd.meet(ana)
        async with aclosing(aiter(stream)) as hearing:
            event = await anext(hearing)

    assert (event.user_id, event.sequence) == (ana, 2)
