"""The search for an order finds one where there is one, and does not take years over it."""

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise, permutations
from random import Random

import pytest

from tests.chaos.checker.linearizing import NEVER, Operation, stuck_at

Step = Callable[[int], int | None]


def reads(value: int) -> Step:
    return lambda state: state if state == value else None


def writes(value: int) -> Step:
    return lambda _: value


def swaps(value: int, other: int) -> Step:
    return lambda state: other if state == value else None


def is_in_time(order: Sequence[Operation[int]]) -> bool:
    """Whether none comes before one that had returned by its call."""
    return all(
        later.returned >= before.invoked
        for n, before in enumerate(order)
        for later in order[n + 1 :]
    )


def is_allowed(order: Sequence[Operation[int]], start: int) -> bool:
    state: int | None = start
    for each in order:
        state = None if state is None else each.step(state)
    return state is not None


def has_an_order(operations: Sequence[Operation[int]], start: int) -> bool:
    """By trying every one."""
    needed = [each for each in operations if each.must_happen]
    unsure = [each for each in operations if not each.must_happen]
    return any(
        is_in_time(order) and is_allowed(order, start)
        for count in range(len(unsure) + 1)
        for some in combinations(unsure, count)
        for order in permutations([*needed, *some])
    )


def by_chance(random: Random) -> list[Operation[int]]:
    made: list[Operation[int]] = []
    for number in range(random.randint(2, 6)):
        invoked = random.uniform(0, 4)
        returned = NEVER if random.random() < 0.2 else invoked + random.uniform(0, 4)
        value = random.randrange(3)
        step, only = random.choice(
            [
                (reads(value), True),
                (writes(value), False),
                (swaps(value, random.randrange(3)), False),
            ]
        )
        made.append(Operation(str(number), invoked, returned, step, only))
    return made


def test_what_it_says_is_what_trying_every_order_says() -> None:
    random, said = Random(6), list[bool]()
    for _ in range(1500):
        operations = by_chance(random)
        said.append(stuck_at(operations, 0) is None)
        assert said[-1] == has_an_order(operations, 0), operations

    assert 300 < sum(said) < 1200


@pytest.mark.parametrize(("last", "stuck"), [(3, None), (7, "at the end")])
def test_a_crowd_that_asks_while_a_server_is_down_is_put_in_order_in_time(
    last: int, stuck: str | None
) -> None:
    asked = 0

    def counted(step: Step) -> Step:
        def step_once(state: int) -> int | None:
            nonlocal asked
            asked += 1
            return step(state)

        return step_once

    changes = [Operation(f"w{a}", 0, 30, counted(swaps(a, b))) for a, b in pairwise(range(4))]
    looks = [Operation(f"r{n}", 0, 30 + n, counted(reads(n % 4)), reads=True) for n in range(40)]
    end = Operation("at the end", 99, 99, counted(reads(last)), reads=True)

    assert stuck_at([*looks, *changes, end], 0) == stuck

    assert asked < 5000
