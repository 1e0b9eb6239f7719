"""Times of one kind are alike, and those of a path that does more or less are told apart."""

import random

import pytest

from tests.rig.telling_apart import compared


def times(seed: int, *, more: float = 0.0, count: int = 600) -> list[float]:
    """Hashes of 40 ms on a machine that is sometimes busy with something else."""
    chance = random.Random(seed)
    return [
        0.040 + more + chance.expovariate(500) + chance.choice((0, 0, 0, 0, 0.02))
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_times_of_one_kind_are_alike(seed: int) -> None:
    found = compared(times(seed), times(seed + 100))

    assert found.are_alike, str(found)


@pytest.mark.parametrize("more", [0.002, -0.002, 0.04, -0.03])
def test_a_path_that_takes_two_milliseconds_more_or_less_is_told(more: float) -> None:
    found = compared(times(0), times(1, more=more))

    assert not found.are_alike, str(found)


def test_the_share_is_of_pairs_and_ties_are_halves() -> None:
    assert compared([1, 2], [1, 3]).auc == pytest.approx((0.5 + 1 + 0 + 1) / 4)
