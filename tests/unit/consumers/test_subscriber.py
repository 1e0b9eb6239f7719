"""What a rebalance, an outage and a stop ask of an intake."""

# pyright: reportPrivateUsage=false

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import CommitFailedError, KafkaConnectionError

from authbus import topics
from tests.unit.consumers.intake import TOPIC, ZERO, World, a_record, settled

PLACE = (topics.CREDENTIALS.suffix, 0)


@pytest.fixture
async def world() -> World:
    return World()


@pytest.mark.parametrize("error", [CommitFailedError(), TimeoutError(), OSError()])
async def test_what_was_dropped_is_handled_when_its_partition_comes_back_whatever_failed(
    world: World, error: Exception
) -> None:
    await world.assign(ZERO)
    world.open.clear()
    await world.take(0, 1, 2)
    world.consumer.error = error
    asyncio.get_running_loop().call_later(0.01, world.open.set)
    await world.intake.on_partitions_revoked([ZERO])
    world.consumer.error = None

    await world.assign(ZERO)
    await world.take(1, 2)
    await settled()

    assert world.handled == [0, 1, 2]
    assert world.intake.progress.ahead() == {PLACE: 3}


async def test_what_was_dropped_is_handled_again_when_the_fence_could_not_move(
    world: World,
) -> None:
    await world.assign(ZERO)
    await world.take(0, 1)
    world.persist_error = OSError()
    await world.intake.on_partitions_revoked([ZERO])
    world.persist_error = None

    await world.assign(ZERO)
    await world.take(0, 1)
    await settled()

    assert world.handled == [0, 1, 0, 1]
    assert world.consumer.offsets == {}


@pytest.mark.parametrize("earlier", [0, 1])
async def test_nothing_is_handled_before_the_fence_is_known_to_be_good(
    world: World, earlier: int
) -> None:
    for _ in range(earlier):
        await world.assign(ZERO)
        await world.take()
        await world.intake.on_partitions_revoked([ZERO])
    world.consumer.error = KafkaConnectionError()
    await world.assign(ZERO)
    taking = asyncio.create_task(world.take(0))
    await settled()
    assert world.handled == []

    world.consumer.error = None
    await taking
    await settled()

    assert world.guarded == [{}] * (earlier + 1)
    assert world.handled == [0]


async def test_a_database_that_does_not_answer_the_guard_is_asked_again(world: World) -> None:
    world.guard_errors = [OSError(), TimeoutError()]
    world.consumer.offsets = {ZERO: 7}

    await world.assign(ZERO)
    await world.take(7)
    await settled()

    assert world.guarded == [{PLACE: 7}] * 3
    assert world.handled == [7]
    assert world.failures == []


async def test_a_guard_that_cannot_be_asked_is_no_standstill(world: World) -> None:
    world.guard_errors = [OSError(), TimeoutError()]

    await world.assign(ZERO)
    await world.take(0)

    tries, records = 2, 1
    assert world.intake.progress.taken == tries + records


async def test_a_guard_that_refuses_ends_the_process_and_nothing_is_handled(world: World) -> None:
    error = RuntimeError("the database went back in time")
    world.guard_errors = [error]

    await world.assign(ZERO)
    await world.take(0)
    await settled()

    assert world.failures == [error]
    assert world.handled == []


async def test_a_batch_that_waits_for_the_guard_is_dropped_by_a_rebalance(world: World) -> None:
    world.consumer.error = KafkaConnectionError()
    await world.assign(ZERO)
    taking = asyncio.create_task(world.take(0, 1))
    await settled()

    await world.intake.on_partitions_revoked([ZERO])
    world.consumer.error = None
    await world.assign(ZERO)
    await taking
    await settled()

    assert world.handled == []
    assert world.intake.progress.ahead() == {}


async def test_a_fault_while_a_batch_is_taken_ends_the_process_and_passes_nothing_over(
    world: World,
) -> None:
    await world.assign(ZERO)
    broken: Any = (a_record(ZERO, 0), SimpleNamespace(topic=TOPIC))

    with pytest.raises(AttributeError):
        await world.intake._take(broken)
    await world.take(2)
    await settled()

    assert [type(each) for each in world.failures] == [AttributeError]
    assert world.handled == []
    assert world.intake.progress.ahead() == {}


async def test_a_partition_that_is_not_ours_any_more_can_be_paused(world: World) -> None:
    await world.assign(ZERO)
    world.open.clear()
    await world.take(0)
    world.consumer.assigned = set()

    await world.take(9, 20)
    world.open.set()
    await settled()

    assert world.handled == [0, 9, 20]
    assert world.failures == []


async def test_offsets_are_committed_only_as_far_as_the_fence_is_durable(world: World) -> None:
    await world.assign(ZERO)
    await world.take(0, 1)
    await settled()

    await world.intake.commit()
    assert world.consumer.offsets == {}
    world.intake.progress.moved({PLACE: 1})
    await world.intake.commit()

    assert world.consumer.offsets == {ZERO: 1}


async def test_kafka_is_told_when_a_log_went_back(world: World) -> None:
    await world.assign(ZERO)
    await world.take(*range(10))
    await settled()
    await world.persist(world.intake)
    await world.intake.commit()
    assert world.consumer.offsets == {ZERO: 10}

    await world.take(5)
    await settled()
    await world.persist(world.intake)
    await world.intake.commit()

    assert world.handled == [*range(10), 5]
    assert world.consumer.offsets == {ZERO: 6}


async def test_a_commit_without_an_answer_may_come_late_and_is_followed_by_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.assign(ZERO)
    await world.take(0, 1)
    await settled()
    world.intake.progress.moved({PLACE: 1})
    world.consumer.error = TimeoutError()
    with pytest.raises(TimeoutError):
        await world.intake.commit()
    world.consumer.error = None
    world.intake.progress.moved({PLACE: 2})
    await world.intake.commit()

    world.consumer.offsets[ZERO] = 1  # the late one
    await world.intake.commit()
    assert world.consumer.offsets == {ZERO: 2}
    monkeypatch.setattr("authbus_service.consumers.committing._LATE_SECONDS", 0.0)
    world.consumer.error = TimeoutError()
    with pytest.raises(TimeoutError):
        await world.intake.commit()
    world.consumer.offsets.clear()
    await world.intake.commit()
    assert world.consumer.offsets == {}, "nothing has moved, and nothing is in doubt any more"


async def test_a_stop_finishes_what_runs_and_commits_it(world: World) -> None:
    await world.assign(ZERO)
    world.open.clear()
    await world.take(0, 1)
    asyncio.get_running_loop().call_later(0.01, world.open.set)

    await world.intake.close()
    await world.take(5)

    assert world.handled == [0]
    assert world.consumer.offsets == {ZERO: 1}


async def test_a_stop_ends_when_the_consumer_is_gone_and_frees_a_batch_that_waits(
    world: World,
) -> None:
    world.consumer.error = KafkaConnectionError()
    await world.assign(ZERO)
    taking = asyncio.create_task(world.take(0, 1))
    await settled()
    world.intake._subscriber.consumer = None

    await world.intake.close()
    await taking

    assert world.handled == []
