"""A group waits for those that set out before the last one was taken, and not for long."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack

import pytest

from authbus_service.consumers import company
from authbus_service.consumers.job import Job
from tests.unit.consumers.writing import World, a_log_out, at_work


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with at_work(monkeypatch) as made:
        yield made


async def a_group_of_one(world: World) -> None:
    job = a_log_out()
    world.put(job)
    await world.results(job)


class OnTheWay:
    """Jobs that have set out together."""

    def __init__(self, world: World, count: int) -> None:
        self.world = world
        self.jobs = [a_log_out() for _ in range(count)]
        self.ways = [ExitStack() for _ in self.jobs]
        for way in self.ways:
            way.enter_context(world.writer.company.coming())

    async def arrive(self, *numbers: int) -> None:
        for number in numbers:
            self.ways[number].close()
            self.world.put(self.jobs[number])
        await asyncio.sleep(0.001)

    async def done(self) -> Sequence[object]:
        return await self.world.results(*self.jobs)


def later(jobs: Sequence[Job], world: World) -> list[list[Job]]:
    """The groups that these are in."""
    return [group for group in world.groups.tried if set(group) & set(jobs)]


async def test_those_that_set_out_before_the_last_group_was_taken_are_one_group(
    world: World,
) -> None:
    row = OnTheWay(world, 3)
    await a_group_of_one(world)

    for number in range(3):
        await row.arrive(number)
    await row.done()

    assert later(row.jobs, world) == [row.jobs]


async def test_nobody_waits_for_one_that_set_out_later(world: World) -> None:
    first = OnTheWay(world, 1)
    await a_group_of_one(world)
    OnTheWay(world, 1)

    async with asyncio.timeout(company.PATIENCE / 2):
        await first.arrive(0)
        await first.done()


async def test_one_that_never_comes_holds_up_nobody(world: World) -> None:
    row = OnTheWay(world, 2)
    await a_group_of_one(world)

    async with asyncio.timeout(company.PATIENCE / 2):
        await row.arrive(0)
        row.ways[1].close()
        await world.results(row.jobs[0])


async def test_one_that_is_late_is_waited_for_a_while_and_not_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company, "PATIENCE", 0.05)
    row = OnTheWay(world, 2)
    await a_group_of_one(world)

    await row.arrive(0)
    await world.results(row.jobs[0])

    monkeypatch.setattr(company, "PATIENCE", 60.0)
    async with asyncio.timeout(5):
        await a_group_of_one(world)
    await row.arrive(1)
    await row.done()
    assert later(row.jobs, world) == [row.jobs[:1], row.jobs[1:]]


async def test_enough_of_them_wait_for_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company, "PATIENCE", 60.0)
    row = OnTheWay(world, company.ENOUGH + 1)
    await a_group_of_one(world)

    await row.arrive(*range(company.ENOUGH))
    await world.results(*row.jobs[:-1])

    assert later(row.jobs, world) == [row.jobs[:-1]]


async def test_how_long_a_group_has_waited_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company, "PATIENCE", 0.05)
    told: list[float] = []
    waiting = company.Company(told.append)

    await waiting.gathered(1)
    with waiting.coming():
        waiting.taken()
        await waiting.gathered(1)

    assert told[0] < 0.04 <= told[1]
