"""Processes are killed, connections lost, servers restarted: nothing is lost, nothing doubled."""

# pyright: reportPrivateUsage=false

import asyncio

import asyncpg
import pytest

from authbus_service.consumers.service import Consumers
from authbus_service.embedded import EmbeddedStack
from tests.rig.crowd import Crowd, until
from tests.rig.process import a_process
from tests.rig.world import World

USERS = 60


def under_load(crowd: Crowd, *, over: float) -> "asyncio.Task[None]":
    """Log everybody in again and everybody out, in the background; the drafts are in the crowd."""
    pairs = zip(crowd.log_ins(range(USERS)), crowd.log_outs(crowd.sessions), strict=True)
    more = [draft for pair in pairs for draft in pair]
    more += crowd.registers(range(USERS, 2 * USERS))
    return asyncio.create_task(crowd.send(more, over=over))


async def some_answered(world: World, crowd: Crowd, count: int) -> None:
    def answered() -> int:
        return sum(1 for draft in crowd.drafts if world.web.answers(draft.id))

    goal = answered() + count
    await until(lambda: answered() >= goal)


@pytest.mark.gate
async def test_processes_that_are_killed_lose_nothing_and_double_nothing(world: World) -> None:
    kills = 3
    crowd = Crowd(world)
    async with world.consuming():
        await crowd.with_sessions(USERS)
    sending = under_load(crowd, over=kills)

    for _ in range(kills):
        async with a_process(world) as process:
            await some_answered(world, crowd, 15)
            process.kill()
            assert await process.wait() == -9
    async with world.consuming():
        await sending
        # Kafka waits for each of the killed members to be missed before it lets others in.
        await crowd.persists(within=60)

    await crowd.checked()


@pytest.mark.gate
async def test_connections_that_are_lost_under_load_lose_nothing(
    world: World, database_url: str
) -> None:
    crowd = Crowd(world)
    killer = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    killed = 0
    async with world.consuming() as consumers:
        await crowd.with_sessions(USERS)
        sending = under_load(crowd, over=1.5)
        while not sending.done():
            killed += await killer.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await asyncio.sleep(0.1)
        await killer.close()
        await crowd.answered(crowd.drafts)

    await crowd.checked()
    assert killed >= 5
    assert consumers.failure is not None
    assert not consumers.failure.done()


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(1, marks=pytest.mark.nightly),  # the other has all of it
        pytest.param(2, marks=pytest.mark.gate),
    ],
)
async def test_a_database_that_restarts_under_load_heals_by_itself(
    world: World, stack: EmbeddedStack, kills: int
) -> None:
    crowd = Crowd(world)
    async with world.consuming() as consumers:
        await crowd.with_sessions(USERS)
        sending = under_load(crowd, over=4)
        for _ in range(kills):
            await some_answered(world, crowd, 10)
            await stack.kill_postgres()
            await asyncio.sleep(0.5)
            await stack.restart_postgres()
        await sending
        await crowd.answered(crowd.drafts, within=30)

    await crowd.checked()
    assert consumers.failure is not None
    assert not consumers.failure.done()


@pytest.mark.nightly
async def test_a_broker_that_restarts_under_load_heals_by_itself(
    world: World, stack: EmbeddedStack
) -> None:
    crowd = Crowd(world)
    async with world.consuming() as consumers:
        await crowd.with_sessions(USERS)
        sending = under_load(crowd, over=4)
        await some_answered(world, crowd, 10)
        await stack.kill_kafka()
        await asyncio.sleep(1)
        await stack.restart_kafka()
        await sending
        await crowd.answered(crowd.drafts, within=60)

    await crowd.checked()
    assert consumers.failure is not None
    assert not consumers.failure.done()


def left(consumers: Consumers) -> bool:
    """Whether the intake of credentials is no member of its group any more."""
    return consumers._intakes[0]._subscriber.consumer._coordinator.generation < 0


@pytest.mark.gate
async def test_an_outage_longer_than_kafka_waits_for_a_poll_heals_by_itself(
    world: World, stack: EmbeddedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authbus_service.consumers.subscriber._MAX_POLL_MS", 2000)
    crowd = Crowd(world)
    async with world.consuming() as consumers:
        await crowd.with_sessions(USERS)
        await stack.kill_postgres()
        # More than may be in flight, so that the intake stops to poll.
        await crowd.send(crowd.registers(range(USERS, 5 * USERS)))
        await until(lambda: left(consumers), within=20)
        await stack.restart_postgres()
        await crowd.answered(crowd.drafts, within=30)

    await crowd.checked()
    assert consumers.failure is not None
    assert not consumers.failure.done()
