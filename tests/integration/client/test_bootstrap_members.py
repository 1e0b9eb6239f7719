"""Several members of a group, and slow ones, build views of all users."""

import asyncio
from contextlib import aclosing
from functools import partial
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from authbus import (
    AuthUnavailable,
    SessionEnded,
    SnapshotEnds,
    topics,
)
from authbus.kafka import connection
from authbus.stream import Told
from authbus.stream.handover import Handover
from authbus.topics import EVENTS, USERS_STATE
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


class Slow(ConsumerRebalanceListener):
    """One that takes its time to give its partitions away, so that all others wait."""

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        await asyncio.sleep(2 if revoked else 0)

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """It reads nothing."""


async def test_a_member_that_waits_for_a_slower_one_begins_nothing_of_what_it_had(
    crowd: Crowd, new_stream: NewStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, noted, heard = crowd.service, list[str](), list[Told]()
    topic, group = service.name(EVENTS), f"{service.namespace}-g"

    class Noting(AIOKafkaConsumer):
        def seek(self, partition: TopicPartition, offset: int) -> None:
            noted.extend(["sought"] if partition.topic == topic else [])
            super().seek(partition, offset)

    for name in ("revoked", "assigned"):
        _note(noted, name, monkeypatch)
    monkeypatch.setattr(connection, "AIOKafkaConsumer", partial(Noting, heartbeat_interval_ms=100))

    async def listen() -> None:
        async with new_stream() as stream, aclosing(stream.bootstrap()) as telling:
            async for each in telling:
                heard.append(each)

    listening = asyncio.create_task(listen())
    await until(lambda: SnapshotEnds in map(type, heard))
    common: dict[str, Any] = {
        "bootstrap_servers": service.servers,
        "group_id": group,
        "heartbeat_interval_ms": 100,
    }
    async with AIOKafkaConsumer(**common) as slow, AIOKafkaConsumer(**common) as third:
        slow.subscribe([topic], listener=Slow())
        await until(lambda: bool(slow.assignment()) and noted[-1] == "sought")
        noted.clear()
        third.subscribe([topic])
        await until(lambda: "assigned" in noted)
        listening.cancel()
        await asyncio.wait([listening])

    assert noted[: noted.index("assigned")] == ["revoked"]


def _note(noted: list[str], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write down when a stream's partitions are taken away and given."""
    method = f"on_partitions_{name}"
    usual: Any = getattr(Handover, method)

    async def noting(handover: Handover, places: set[TopicPartition]) -> None:
        noted.append(name)
        await usual(handover, places)

    monkeypatch.setattr(Handover, method, noting)


@pytest.mark.slow
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
