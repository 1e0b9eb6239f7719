"""All users, then events: on a real Kafka, with writers, erasures and the cleaner in between."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from authbus import (
    AuthUnavailable,
    EventStream,
    ProfileUpdated,
    SessionEnded,
    SnapshotBegins,
    SnapshotEnds,
    StreamEvent,
    UserCreated,
    UserErased,
    UserState,
    connection,
    topics,
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
from tests.integration.client.stand_in import PARTITIONS, StandIn, created, until


@pytest.fixture
async def crowd(service: StandIn) -> AsyncIterator[Crowd]:
    async with a_crowd(service) as made:
        yield made


async def take(stream: EventStream, enough: Callable[[list[Told]], bool]) -> list[Told]:
    """What a loop is told until that is enough; the last of it is unfinished."""
    heard: list[Told] = []
    async with asyncio.timeout(20), stream, aclosing(stream.bootstrap()) as telling:
        async for told in telling:
            heard.append(told)
            if enough(heard):
                break
    return heard


def so_many(count: int) -> Callable[[list[Told]], bool]:
    return lambda heard: len(heard) >= count


def ended(heard: list[Told]) -> bool:
    return isinstance(heard[-1], SnapshotEnds)


def users(heard: list[Told]) -> dict[UUID, int]:
    return {each.user_id: each.sequence for each in heard if isinstance(each, UserState)}


def events(heard: list[Told]) -> list[tuple[UUID, int]]:
    return [(each.user_id, each.sequence) for each in heard if isinstance(each, StreamEvent)]


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
            if len(heard) == 7:
                break

    assert heard[0] == SnapshotBegins(fresh=True)
    assert users(heard[1:3]) == {ana: 2, bob: 1}
    assert heard[3] == SnapshotEnds(users=2)
    assert sorted(events(heard)) == sorted([(ana, 3), (bob, 3), (ana, 4)])
    assert {each.gap for each in heard if isinstance(each, StreamEvent)} == {None}
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
        hearing = asyncio.create_task(take(new_stream(), ended))
        await asyncio.sleep(1)
        early = hearing.done()
        await slow.commit_transaction()
        heard = await hearing

    assert not early
    assert users(heard) == {ana: 1}


async def test_who_is_told_is_told_once_for_each_group_and_events_go_on(
    crowd: Crowd, new_stream: NewStream
) -> None:
    ana = await crowd.join()
    await crowd.meet(ana)

    async def on_from_the_end() -> list[Told]:
        async with new_stream() as stream, aclosing(stream.bootstrap()) as telling:
            heard = [await anext(telling) for _ in range(3)]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(telling), 1)
        return heard

    first = await on_from_the_end()
    await crowd.meet(ana)
    second = await take(new_stream(), so_many(1))
    other = await take(new_stream("another"), ended)

    assert users(first) == users(other) == {ana: 1}
    assert events(second) == [(ana, 3)]


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


async def test_members_of_a_group_share_the_users(crowd: Crowd, new_stream: NewStream) -> None:
    everybody = {await crowd.join() for _ in range(20)}
    told: list[list[Told]] = [[], []]

    async def listen(heard: list[Told]) -> None:
        async with new_stream() as stream, aclosing(stream.bootstrap()) as telling:
            async for each in telling:
                heard.append(each)
                await asyncio.sleep(0.1)

    members = [asyncio.create_task(listen(heard)) for heard in told]
    await until(lambda: all(SnapshotEnds in map(type, heard) for heard in told))
    await crowd.commit(*((user, SessionEnded) for user in everybody))
    await until(lambda: set(events(told[0] + told[1])) == {(user, 2) for user in everybody})
    for member in members:
        member.cancel()
    await asyncio.wait(members)

    shares = [set(users(heard)) for heard in told]
    assert shares[0] | shares[1] == everybody
    assert all(
        dict(events(heard)).keys() <= share for heard, share in zip(told, shares, strict=True)
    )


async def test_a_member_that_is_long_about_its_users_stays_in_its_group(
    crowd: Crowd, new_stream: NewStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = partial(AIOKafkaConsumer, max_poll_interval_ms=3000)
    monkeypatch.setattr(connection, "AIOKafkaConsumer", hasty)
    for _ in range(20):
        await crowd.join()

    heard: list[Told] = []
    async with asyncio.timeout(30), new_stream() as stream, aclosing(stream.bootstrap()) as telling:
        async for told in telling:
            heard.append(told)
            await asyncio.sleep(0.25)
            if isinstance(told, SnapshotEnds):
                break

    assert len(users(heard)) == 20
    assert len(heard) == 22


async def test_topics_that_do_not_fit_together_are_refused(
    service: StandIn, new_stream: NewStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PARTITIONS, USERS_STATE.suffix, 3)
    await service.make_topics([topics.USERS_STATE])

    with pytest.raises(AuthUnavailable, match="same number of partitions"):
        await take(new_stream(), ended)
