"""Processes come and go under load: each command has one effect and is answered."""

# pyright: reportPrivateUsage=false

import asyncio

import pytest
from sqlalchemy import text

from authbus_service.consumers.intakes import INTAKES
from authbus_service.consumers.service import Consumers
from tests.rig.crowd import Crowd, until
from tests.rig.topics import FEW, widen
from tests.rig.world import World

WHOLE = {name: FEW * len(topics) for name, topics in INTAKES}
HALF = {name: partitions // 2 for name, partitions in WHOLE.items()}


def _partitions(consumers: Consumers) -> dict[str, int]:
    members = {intake.name: intake.member() for intake in consumers.intakes}
    return {name: len(member.partitions) if member else 0 for name, member in members.items()}


def _rebalances(consumers: Consumers) -> dict[str, int]:
    return {intake.name: intake.rebalances for intake in consumers.intakes}


@pytest.mark.gate
async def test_a_second_process_joins_and_leaves_under_load(world: World) -> None:
    crowd = Crowd(world)
    users = 100
    async with world.consuming() as first:
        await crowd.with_sessions(users)
        pairs = zip(crowd.log_ins(range(users)), crowd.log_outs(crowd.sessions), strict=True)
        more = [draft for pair in pairs for draft in pair]
        sending = asyncio.create_task(crowd.send(more, over=3))
        async with world.consuming() as second:
            await until(lambda: all(list(intake.progress) for intake in second._intakes))
        await sending
        await crowd.answered(more)

    await crowd.checked()
    assert first.failure is not None
    assert not first.failure.done()


@pytest.mark.gate
async def test_whoever_stops_for_one_that_comes_or_goes_counts_it_and_whoever_starts_does_not(
    world: World,
) -> None:
    async with world.consuming() as first:
        await until(lambda: _partitions(first) == WHOLE)
        alone = _rebalances(first)
        async with world.consuming() as second:
            await until(lambda: _partitions(first) == _partitions(second) == HALF)
            shared = _rebalances(first), _rebalances(second)
        await until(lambda: _partitions(first) == WHOLE)
        alone_again = _rebalances(first)

    assert alone == {"credentials": 0, "cheap": 0}
    assert shared == ({"credentials": 1, "cheap": 1}, alone)
    assert alone_again == {"credentials": 2, "cheap": 2}


@pytest.mark.gate
async def test_a_partition_that_a_command_topic_gets_is_read_within_seconds(world: World) -> None:
    crowd = Crowd(world)
    first, second = crowd.registers(range(2))
    async with world.consuming():
        await crowd.asked([first])
        await widen(world.servers, second.topic, FEW + 1, tell=world.web._sender)

        await world.web.send(second, partition=FEW)

        assert await world.web.heard(second, 1, within=12)


async def test_a_stop_under_load_and_a_new_start_lose_nothing_and_double_nothing(
    world: World,
) -> None:
    crowd = Crowd(world)
    users = 100
    async with world.consuming():
        await crowd.with_sessions(users)
        more = [*crowd.log_ins(range(users)), *crowd.log_outs(crowd.sessions)]
        sending = asyncio.create_task(crowd.send(more, over=0.5))
        await asyncio.sleep(0.2)
    stopped = sum(1 for draft in more if world.web.answers(draft.id))
    await sending

    async with world.consuming():
        await crowd.answered(more)

    await crowd.checked()
    assert 0 < stopped < len(more)
    counts = [len(world.web.answers(draft.id)) for draft in crowd.drafts]
    assert sum(counts) == len(counts), "what was finished before the stop came again after it"


async def test_a_stop_ends_in_time_while_commands_are_stuck_and_they_are_handled_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authbus_service.consumers.subscriber._DRAIN_SECONDS", 0.3)
    crowd = Crowd(world)
    users = 20
    async with world.consuming():
        await crowd.with_sessions(users)
    more = [draft for _ in range(15) for draft in crowd.log_ins(range(users))]
    async with world.database.transaction() as holder:
        await holder.execute(text("LOCK TABLE sessions IN EXCLUSIVE MODE"))
        async with world.consuming():
            await crowd.send(more)
            await asyncio.sleep(0.5)
            stopping = asyncio.get_running_loop().time()
        took = asyncio.get_running_loop().time() - stopping

    async with world.consuming():
        await crowd.answered(more)

    await crowd.checked()
    assert took < 5
