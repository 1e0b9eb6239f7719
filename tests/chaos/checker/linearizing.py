"""Is there one order of these operations, within their times, that a sequential object allows?

The search of Wing and Gong with Lowe's memory: an operation may come next when none that is left
has returned before it was invoked. What never returned may come at any time after it was invoked,
or never. What only reads comes as soon as it may: whatever comes first instead, it could have come
before that, and the crowd that asks for one account while a server is down is no search of years.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Operation(Generic[S]):
    """`step` gives the state afterwards, or None when the state does not allow what came of it.

    One that `reads` leaves every state as it is.
    """

    name: str
    invoked: float
    returned: float
    step: Callable[[S], S | None]
    reads: bool = False

    @property
    def must_happen(self) -> bool:
        """Whether somebody has seen it happen."""
        return self.returned != NEVER


def stuck_at(operations: Sequence[Operation[S]], start: S) -> str | None:
    """None when such an order exists; else the operation that no order could ever reach.

    That one is the earliest to return of those left, where the most could be put in order.
    """
    todo = sorted(operations, key=lambda each: (each.returned, each.invoked))
    everything = (1 << len(todo)) - 1
    seen: set[tuple[int, S]] = set()
    paths = [(everything, start)]
    furthest, fewest = None, len(todo) + 1
    while paths:
        left, state = paths.pop()
        if (left, state) in seen:
            continue
        seen.add((left, state))
        first = next((n for n in range(len(todo)) if left >> n & 1 and todo[n].must_happen), None)
        if first is None:
            return None
        if left.bit_count() < fewest:
            furthest, fewest = todo[first].name, left.bit_count()
        paths += _next(todo, left, state, todo[first].returned)
    return furthest


def _next(todo: Sequence[Operation[S]], left: int, state: S, horizon: float) -> list[tuple[int, S]]:
    """What may follow; the likeliest, which returned first, is taken up first."""
    found: list[tuple[int, S]] = []
    for n in reversed(range(len(todo))):
        if left >> n & 1 and todo[n].invoked <= horizon:
            after = todo[n].step(state)
            if after is None:
                continue
            if todo[n].reads:
                return [(left & ~(1 << n), after)]
            found.append((left & ~(1 << n), after))
    return found
