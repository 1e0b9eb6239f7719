"""Several members of a group, and slow ones, build views of all users."""

import asyncio
from contextlib import aclosing
from functools import partial

import pytest
from aiokafka import AIOKafkaConsumer

from authbus import (
    AuthUnavailable,
    SessionEnded,
    SnapshotEnds,
    connection,
    topics,
)
from authbus.stream import Told
from authbus.topics import USERS_STATE
from tests.integration.client.conftest import NewStream
from tests.integration.client.crowd import (
    Crowd,
)
from tests.integration.client.stand_in import PARTITIONS, StandIn, until
from tests.integration.client.telling import ended, events, take, users


async def test_members_of_a_group_share_the_users(crowd: Crowd, new_stream: NewStream) -> None:
    everybody = {await crowd.join() for _ in range(20)}
    told: list[list[Told]] = [[], []]

    async def listen(heard: list[Told]) -> None:
        async with new_stream() as stream, aclosing(stream.bootstrap()) as telling:
            async for each in telling:
                heard.append(each)
                # Whoever came first would have told everybody before the other one is a member.
                await until(lambda: all(told))

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


@pytest.mark.gate
async def test_a_member_that_is_long_about_its_users_stays_in_its_group(
    crowd: Crowd, new_stream: NewStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = partial(AIOKafkaConsumer, max_poll_interval_ms=5000)
    monkeypatch.setattr(connection, "AIOKafkaConsumer", hasty)
    for _ in range(20):
        await crowd.join()

    heard: list[Told] = []
    async with asyncio.timeout(30), new_stream() as stream, aclosing(stream.bootstrap()) as telling:
        async for told in telling:
            heard.append(told)
            await asyncio.sleep(0.35)
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
