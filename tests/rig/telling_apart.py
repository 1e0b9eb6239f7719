"""Whether two kinds of answers can be told apart by the time that they take."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

# What threats say: a share of pairs this near to a half, medians this near to each other.
NEAR_HALF, NEAR_SECONDS, NEAR_SHARE = 0.02, 0.001, 0.02
# How many standard errors chance may add, for as many samples as there are.
_ERRORS = 3


@dataclass(frozen=True)
class Compared:
    """One kind beside another. `auc`: the share of pairs in which the second one takes longer."""

    auc: float
    medians: tuple[float, float]
    auc_error: float
    median_error: float

    @property
    def are_alike(self) -> bool:
        """Whether nobody tells them apart, as far as so many samples show."""
        one, other = self.medians
        near = max(NEAR_SECONDS, NEAR_SHARE * one)
        return (
            abs(self.auc - 0.5) < NEAR_HALF + _ERRORS * self.auc_error
            and abs(one - other) < near + _ERRORS * self.median_error
        )

    def __str__(self) -> str:
        one, other = (1000 * each for each in self.medians)
        error = 1000 * self.median_error
        return f"AUC {self.auc:.3f}, medians {one:.2f} and {other:.2f} ms (+- {error:.2f})"


def compared(one: Sequence[float], other: Sequence[float]) -> Compared:
    """Two kinds of times, in seconds."""
    first, second = sorted(one), sorted(other)
    below = sum(bisect_left(first, each) + bisect_right(first, each) for each in second)
    pairs = len(first) * len(second)
    return Compared(
        auc=below / (2 * pairs),
        medians=(median(first), median(second)),
        auc_error=math.sqrt((len(first) + len(second) + 1) / (12 * pairs)),
        median_error=math.hypot(_median_error(first), _median_error(second)),
    )


def _median_error(ordered: Sequence[float]) -> float:
    """Half the way between the values that stand a standard error to either side of the middle."""
    aside, middle = max(1, round(math.sqrt(len(ordered)) / 2)), len(ordered) // 2
    last = len(ordered) - 1
    return (ordered[min(middle + aside, last)] - ordered[max(middle - aside, 0)]) / 2
