"""Where the last manifest itself hangs, what readers see of its transaction tells its outcome."""

import time

import pytest
from aiokafka import AIOKafkaProducer

from authbus_service.relay import hidden
from authbus_service.relay.looking import Record
from tests.integration.relay.forgotten import (
    ABORTED,
    an_event,
    memory_of,
    place_of,
    say,
    seen,
    settle,
)
from tests.integration.relay.world import World

BEFORE_MS = 5_000
MANY = 200


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """What is read of the topics while what hangs is judged."""
    found: list[Record] = []
    between = hidden.between

    async def spied(*where: object) -> list[Record]:
        records = await between(*where)  # pyright: ignore[reportArgumentType]
        found.extend(records)
        return records

    monkeypatch.setattr(hidden, "between", spied)
    return found


async def test_what_was_said_seconds_before_it_is_not_read(
    world: World, reads: list[Record]
) -> None:
    place = place_of(world, "ana")
    before = int(time.time() * 1000) - BEFORE_MS
    async with AIOKafkaProducer(bootstrap_servers=world.servers) as producer:
        for _ in range(MANY):
            await producer.send(*place[:1], b"before", b"ana", place[1], before)
    event = an_event("ana", "hidden")

    await world.write(event)
    await say(world, [event], [memory_of(world)], ABORTED)
    await settle(world)

    assert {record.topic for record in reads} == {memory_of(world).topic}
    assert await seen(world) == {b"ana": [*[b"before"] * MANY, b"hidden"]}
