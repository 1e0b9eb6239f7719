"""Groups: who goes together, what a failure does to them, and who waits beside them."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from authbus_service.consumers.group import Committed
from authbus_service.consumers.job import Job
from authbus_service.core.ids import new_id
from authbus_service.inbox.repository import OvertakenError
from tests.unit.consumers.writing import (
    ANSWER,
    PLACE,
    Groups,
    World,
    a_log_out,
    a_register,
    at_work,
    handled,
)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with at_work(monkeypatch) as made:
        yield made


async def test_whatever_is_ready_is_one_group(world: World) -> None:
    jobs = [a_log_out() for _ in range(7)]

    world.put(*jobs)

    assert await world.results(*jobs) == [ANSWER] * 7
    assert world.groups.tried == [jobs]
    assert world.fences == [{PLACE: 1}]


async def test_a_group_has_a_largest_size_and_the_rest_follows_in_order(world: World) -> None:
    jobs = [a_log_out() for _ in range(300)]

    world.put(*jobs)
    await world.results(*jobs)

    assert world.groups.tried == [jobs[:256], jobs[256:]]


async def test_one_id_twice_and_one_address_twice_are_in_different_groups(world: World) -> None:
    same = new_id()
    twice = [a_log_out(same), a_log_out(same), a_log_out(same)]
    wanted = [a_register("ana@example.com"), a_register("ANA@example.com")]

    world.put(*twice, *wanted)
    await world.results(*twice, *wanted)

    assert world.groups.tried == [[twice[0], wanted[0]], [twice[1], wanted[1]], [twice[2]]]


async def test_a_group_that_fails_is_halved_until_the_one_that_fails_is_alone(
    world: World,
) -> None:
    jobs = [a_log_out() for _ in range(8)]
    poison = jobs[5]

    def fails(group: Sequence[Job], _: bool) -> Sequence[Job]:
        if poison in group:
            raise ZeroDivisionError
        return group

    world.groups.rule = fails
    world.put(*jobs)
    results = await world.results(*jobs)

    assert [each for each in results if each == ANSWER] == [ANSWER] * 7
    assert isinstance(results[5], ZeroDivisionError)
    assert world.groups.sizes == [8, 4, 4, 2, 1, 1, 2]


async def test_what_was_handled_elsewhere_is_answered_from_there_and_the_others_go_on(
    world: World,
) -> None:
    jobs = [a_log_out() for _ in range(3)]
    elsewhere = handled(jobs[1])
    world.known[elsewhere.id] = elsewhere

    def overtaken(group: Sequence[Job], _: bool) -> Sequence[Job]:
        if jobs[1] in group:
            raise OvertakenError({elsewhere.id})
        return group

    world.groups.rule = overtaken
    world.put(*jobs)

    assert await world.results(*jobs) == [ANSWER, elsewhere, ANSWER]
    assert world.groups.tried == [jobs, [jobs[0], jobs[2]]]


async def test_a_look_up_of_what_was_handled_elsewhere_may_fail_and_is_done_again(
    world: World,
) -> None:
    job = a_log_out()
    world.known[job.request.id] = handled(job)
    world.known_errors = [ConnectionResetError(), TimeoutError()]

    def overtaken(group: Sequence[Job], _: bool) -> Sequence[Job]:
        raise OvertakenError({each.request.id for each in group})

    world.groups.rule = overtaken
    world.put(job)

    assert await world.results(job) == [world.known[job.request.id]]


async def test_one_whose_user_is_locked_elsewhere_goes_with_the_next_groups_then_waits_alone(
    world: World,
) -> None:
    busy, others = a_log_out(), [a_log_out() for _ in range(3)]
    world.groups.rule = lambda group, wait: [each for each in group if wait or each is not busy]

    world.put(busy, *others)
    await world.results(busy, *others)

    assert world.groups.tried == [[busy, *others], [busy], [busy], [busy]]
    assert world.groups.waited == [busy]


async def test_one_that_waits_for_its_user_holds_up_nobody(world: World) -> None:
    locked, others = a_log_out(), [a_log_out() for _ in range(5)]
    free = asyncio.Event()

    class Waiting(Groups):
        async def together(self, jobs: Sequence[Job], *, wait: bool = False) -> Committed:
            if wait:
                await free.wait()
            return await super().together(jobs, wait=wait)

    world.groups = world.writer._grouping = Waiting()
    world.groups.rule = lambda group, wait: [each for each in group if wait or each is not locked]
    world.put(locked)
    await asyncio.sleep(0.05)
    for other in others:
        world.put(other)
        assert await world.results(other) == [ANSWER]
    assert not locked.result.done()
    free.set()

    assert await world.results(locked) == [ANSWER]


async def test_one_that_nobody_waits_for_any_more_harms_no_other(world: World) -> None:
    gone, other = a_log_out(), a_log_out()
    gone.result.cancel()

    world.put(gone, other)

    assert await world.results(other) == [ANSWER]
