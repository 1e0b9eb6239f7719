"""Failures that pass: of all groups together, and of one command alone."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from authbus_service.consumers import writer
from authbus_service.consumers.job import Job
from tests.unit.consumers.writing import ANSWER, World, a_log_out, at_work


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with at_work(monkeypatch) as made:
        yield made


async def test_a_failure_that_passes_is_tried_again_however_often(world: World) -> None:
    jobs = [a_log_out() for _ in range(4)]

    def fails(group: Sequence[Job], _: bool) -> Sequence[Job]:
        if len(world.groups.tried) <= 40:
            raise ConnectionResetError
        return group

    world.groups.rule = fails
    world.put(*jobs)

    assert await world.results(*jobs) == [ANSWER] * 4


async def test_one_that_fails_in_passing_again_and_again_holds_up_no_other(world: World) -> None:
    failing, beside, later = (a_log_out() for _ in range(3))
    cured = asyncio.Event()

    def fails(group: Sequence[Job], _: bool) -> Sequence[Job]:
        if failing in group and not cured.is_set():
            raise ConnectionResetError
        return group

    world.groups.rule = fails
    world.put(failing, beside)
    results = await world.results(beside)
    tried = world.groups.tried.count([failing])
    world.put(later)
    results += await world.results(later)
    while world.groups.tried.count([failing]) < tried + 5:  # noqa: ASYNC110 - tried by a task
        await asyncio.sleep(0.001)

    assert results == [ANSWER] * 2
    assert not failing.result.done()
    cured.set()
    assert await world.results(failing) == [ANSWER]


async def test_however_many_fail_in_passing_they_hold_up_no_other_and_each_is_tried_again(
    world: World,
) -> None:
    failing, other = [a_log_out() for _ in range(30)], a_log_out()
    cured: set[Job] = set()

    def fails(group: Sequence[Job], _: bool) -> Sequence[Job]:
        if set(group) & (set(failing) - cured):
            raise ConnectionResetError
        return group

    world.groups.rule = fails
    world.put(*failing)
    await asyncio.sleep(0.2)
    world.put(other)

    assert await world.results(other) == [ANSWER]
    assert not any(job.result.done() for job in failing)
    cured.add(failing[-1])
    assert await world.results(failing[-1]) == [ANSWER]
    cured.update(failing)
    assert await world.results(*failing) == [ANSWER] * 30


async def test_one_that_fails_in_passing_holds_up_no_other_while_many_wait_for_their_users(
    world: World,
) -> None:
    locked, failing, other = [a_log_out() for _ in range(8)], a_log_out(), a_log_out()

    def fails(group: Sequence[Job], wait: bool) -> Sequence[Job]:
        if failing in group or (wait and set(group) & set(locked)):
            raise TimeoutError
        return [job for job in group if job not in locked]

    world.groups.rule = fails
    world.put(*locked)
    await asyncio.sleep(0.05)
    world.put(failing)
    await asyncio.sleep(0.05)
    world.put(other)

    assert await world.results(other) == [ANSWER]
    assert not failing.result.done()


async def test_while_the_database_is_away_all_wait_and_only_a_few_of_them_try(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [a_log_out() for _ in range(40)]
    back = asyncio.Event()

    def fails(group: Sequence[Job], _: bool) -> Sequence[Job]:
        if not back.is_set():
            raise ConnectionResetError
        return group

    world.groups.rule = fails
    for job in jobs:
        world.put(job)
        await asyncio.sleep(0.003)
    monkeypatch.setattr(writer, "_LONGEST_BACK_OFF", 0.2)
    world.writer._back_off = 0.2
    await asyncio.sleep(0.01)
    world.groups.tried.clear()
    await asyncio.sleep(0.5)
    tries = len(world.groups.tried)
    back.set()

    assert await world.results(*jobs) == [ANSWER] * 40
    assert 8 <= tries <= 27  # each pause of 0.2 s: eight beside, and the groups' own


async def test_an_outage_of_any_length_does_not_grow_the_stack(world: World) -> None:
    deepest: list[int] = []

    def fails(group: Sequence[Job], _: bool) -> Sequence[Job]:
        task = asyncio.current_task()
        assert task is not None
        deepest.append(len(_coroutines(task)))
        if len(deepest) < 20:
            raise ConnectionResetError
        return group

    world.groups.rule = fails
    job = a_log_out()
    world.put(job)
    await world.results(job)

    assert len(set(deepest)) == 1


def _coroutines(task: "asyncio.Task[object]") -> list[object]:
    """The task's stack of coroutines, outermost first."""
    found: list[object] = []
    coroutine: object = task.get_coro()
    while coroutine is not None:
        found.append(coroutine)
        coroutine = getattr(coroutine, "cr_await", None)
    return found
