"""The relay wakes at once when there is something to say, rests when not, and ends clean."""

import asyncio

import pytest
from sqlalchemy import text

from authbus_service.relay import loop
from authbus_service.relay.loop import Pace, Relay
from tests.integration.relay.world import World, a_record, running, until


@pytest.mark.parametrize("way", ["wake", "notify", "poll"])
async def test_new_rows_are_found_at_once(
    world: World, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(*_: object) -> None:
        await asyncio.Event().wait()

    if way != "notify":
        monkeypatch.setattr(loop, "listen", deaf)
    poll = 0.2 if way == "poll" else 30
    relay = world.relay(pace=Pace(poll=poll, heartbeat=0.0 if way == "poll" else 30))
    async with running(relay):
        await world.write(a_record())
        await until(lambda: _leads(relay))
        await world.until_said()
        await asyncio.sleep(0.3)

        await world.write(a_record())
        if way == "wake":
            relay.wake()
        async with asyncio.timeout(2):
            await world.until_said()


async def _leads(relay: Relay) -> bool:
    return relay.state.leading


class Counting(Relay):
    rounds = 0

    async def _round(self) -> bool:
        self.rounds += 1
        return await super()._round()


async def test_a_relay_that_had_nothing_to_say_for_long_says_what_comes_then(world: World) -> None:
    relay = world.relay(Counting, pace=Pace(poll=0.005, heartbeat=30))
    assert isinstance(relay, Counting)

    async def many() -> bool:
        return relay.rounds >= 100

    async with running(relay):
        await until(many)
        await world.write(a_record())
        await world.until_said()

    assert relay.state.restarts.total() == 0


async def test_a_relay_with_nothing_to_say_rests(world: World) -> None:
    relay = world.relay(Counting)
    assert isinstance(relay, Counting)
    async with running(relay):
        await world.write(a_record())
        await world.until_said()
        before = relay.rounds
        await asyncio.sleep(1)

    assert relay.rounds - before <= 8


async def test_a_stopped_relay_leaves_nothing_behind(world: World) -> None:
    before = asyncio.all_tasks()
    ours = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event = 'ClientRead' AND query LIKE 'LISTEN%'"
    )

    async with running(world.relay()):
        await world.write(a_record())
        await world.until_said()

    await asyncio.sleep(0.1)
    assert asyncio.all_tasks() == before
    async with world.database.reading() as db:
        assert await db.scalar(ours) == 0
