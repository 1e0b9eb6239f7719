"""A relay that is killed or put to sleep says each event once, in each user's order."""

import random
from collections.abc import Sequence

import pytest

from tests.chaos.relay.crew import Crew
from tests.chaos.relay.verdict import Verdict, judge, verdict
from tests.chaos.relay.writers import Written, writing
from tests.integration.relay.world import World

LEASE = 0.6
POINTS = ("has committed", "has sent", "has committed", "begins", "has deleted")


async def faults(
    world: World, kills: Sequence[str], freezes: Sequence[str], at_least: int
) -> tuple[Crew, Written]:
    """Let writers write, kill and freeze relays meanwhile, and wait until all is said.

    More are killed than asked for until `at_least` fell between Kafka's commit and the delete.
    """
    order = [*((True, point) for point in kills), *((False, point) for point in freezes)]
    random.shuffle(order)
    async with Crew(world, lease_seconds=LEASE) as crew:
        async with writing(world) as written:
            for kill, point in order:
                await (crew.kill_the_leader(point) if kill else crew.freeze_the_leader(point))
            while crew.caught < at_least:
                await crew.kill_the_leader("has committed")
        await world.until_said(60)
    return crew, written


def cycle(points: Sequence[str], count: int) -> list[str]:
    return [points[n % len(points)] for n in range(count)]


async def hold(world: World, *, kills: int, freezes: int, at_least: int) -> None:
    crew, written = await faults(world, cycle(POINTS, kills), cycle(POINTS, freezes), at_least)

    assert await verdict(world, written.committed) == Verdict()
    assert crew.caught >= at_least
    assert written.rolled_back > 0


@pytest.mark.gate
@pytest.mark.timeout(240)
async def test_ten_kills_and_three_zombies_lose_nothing_and_repeat_nothing(world: World) -> None:
    await hold(world, kills=10, freezes=3, at_least=3)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
async def test_a_hundred_kills_and_twenty_five_zombies_lose_nothing(world: World) -> None:
    await hold(world, kills=100, freezes=25, at_least=25)


@pytest.mark.nightly
@pytest.mark.timeout(90)
async def test_without_its_memory_a_killed_relay_repeats_itself(world: World) -> None:
    async with Crew(world, lease_seconds=LEASE, remembers=False) as crew:
        async with writing(world) as written:
            for _ in range(3):
                await crew.kill_the_leader("has committed")
        await world.until_said(60)

    found = await verdict(world, written.committed)
    assert found.duplicates > 0
    assert (found.lost, found.ghosts) == (0, 0)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (["a 1", "a 2", "b 1"], Verdict()),
        (["a 1", "a 2", "a 2", "b 1"], Verdict(duplicates=1)),
        (["a 1", "a 2"], Verdict(lost=1)),
        (["a 2", "a 1", "b 1"], Verdict(inversions=2)),
        (["a 1", "a 2", "b 1", "b 2"], Verdict(ghosts=1)),
    ],
)
def test_the_judge_sees_each_kind_of_fault(seen: list[str], expected: Verdict) -> None:
    committed = [b"a 1", b"a 2", b"b 1"]

    assert judge(committed, [value.encode() for value in seen]) == expected
