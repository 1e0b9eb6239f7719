"""A new group that begins at a time, on a real Kafka."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from authbus import EventStream, StreamEvent, topics
from authbus.envelope import cloud_event
from authbus.kafka import guarding
from tests.integration.client.conftest import NewStream
from tests.integration.client.stand_in import StandIn, created
from tests.rig.warnings import warnings_of

SINCE = datetime.now(UTC) - timedelta(hours=1)


async def tell(service: StandIn, user_id: UUID, first: int, last: int, at: datetime) -> None:
    """Events of one user that happened and were appended at this time."""
    for sequence in range(first, last + 1):
        event = created(user_id, sequence)
        headers = cloud_event(id=uuid4(), type=event.wire_type(), source="/authbus", time=at)
        await service.producer.send_and_wait(
            service.name(topics.EVENTS),
            json.dumps(event.to_json()).encode(),
            key=str(user_id).encode(),
            headers=headers,
            timestamp_ms=int(at.timestamp() * 1000),
        )


async def take(stream: EventStream, count: int) -> list[StreamEvent]:
    """The next events, all finished but the last."""
    heard: list[StreamEvent] = []
    async with asyncio.timeout(15), stream:
        async for event in stream:
            heard.append(event)
            if len(heard) == count:
                break
    return heard


async def test_a_new_group_begins_at_a_time_and_reads_nothing_that_is_long_before_it(
    service: StandIn, new_stream: NewStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [uuid4() for _ in range(4)]
    read: list[int] = []
    getmany = AIOKafkaConsumer.getmany

    async def counted(consumer: AIOKafkaConsumer, **options: Any) -> dict[TopicPartition, Any]:
        found = await getmany(consumer, **options)
        read.extend(len(records) for records in found.values())
        return found

    for user_id in users:
        await tell(service, user_id, 1, 20, SINCE - timedelta(hours=1))
    for user_id in users:
        await tell(service, user_id, 21, 21, SINCE - timedelta(minutes=1))
        await tell(service, user_id, 22, 23, SINCE)
    monkeypatch.setattr(AIOKafkaConsumer, "getmany", counted)

    heard = await take(new_stream(since=SINCE), 8)

    for user_id in users:
        assert [each.sequence for each in heard if each.user_id == user_id] == [22, 23]
    assert {each.gap for each in heard} == {None}
    assert sum(read) == 12


async def test_a_group_that_has_read_goes_on_where_it_was_and_not_at_the_time(
    service: StandIn, new_stream: NewStream
) -> None:
    user_id = uuid4()
    await tell(service, user_id, 1, 6, SINCE + timedelta(minutes=30))

    first = await take(new_stream(since=SINCE), 3)
    second = await take(new_stream(since=SINCE), 4)

    assert [each.sequence for each in first] == [1, 2, 3]
    assert [each.sequence for each in second] == [3, 4, 5, 6]


async def test_a_group_that_begins_at_a_time_to_come_hears_only_what_happens_then(
    service: StandIn, new_stream: NewStream
) -> None:
    user_id, soon = uuid4(), datetime.now(UTC) + timedelta(hours=1)
    await tell(service, user_id, 1, 3, SINCE)
    stream = new_stream(since=soon)
    async with asyncio.timeout(15), stream:
        hearing = asyncio.ensure_future(anext(aiter(stream)))
        await asyncio.sleep(1)
        early = hearing.done()
        await tell(service, user_id, 4, 4, soon)
        event = await hearing

    assert not early
    assert event.sequence == 4


async def test_an_event_whose_time_has_no_zone_is_passed_over(
    service: StandIn, new_stream: NewStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, warned = uuid4(), warnings_of(guarding, monkeypatch)
    kind, value = created(user_id, 1).wire_type(), json.dumps(created(user_id, 1).to_json())
    headers = {"ce_id": str(uuid4()), "ce_type": kind, "ce_time": "2999-01-01T00:00:00"}
    await service.producer.send_and_wait(
        service.name(topics.EVENTS),
        value.encode(),
        key=str(user_id).encode(),
        headers=[(name, text.encode()) for name, text in headers.items()],
    )
    await tell(service, user_id, 2, 2, SINCE)

    heard = await take(new_stream(since=SINCE), 1)

    assert [each.sequence for each in heard] == [2]
    assert "was passed over: ValueError" in warned.text


async def test_a_time_without_a_zone_and_a_time_for_a_bootstrap_are_mistakes(
    new_stream: NewStream,
) -> None:
    with pytest.raises(ValueError, match="zone"):
        new_stream(since=datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake
    with pytest.raises(ValueError, match="all users"):
        new_stream(since=SINCE).bootstrap()
