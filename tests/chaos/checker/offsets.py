"""I9: offsets follow the fence, and no transaction hangs."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import History, Offsets, Place

_ENDS_SECONDS = 15.0


def offsets(history: History) -> Iterator[Finding]:
    """Judge each look by itself, and against the one before it.

    A look reads the group before the fence and the fence before the end, so what moves meanwhile
    breaks no rule.
    """
    by_place = defaultdict[Place, list[Offsets]](list)
    for each in sorted(history.offsets, key=lambda each: each.at):
        by_place[each.place].append(each)
    for place, looks in by_place.items():
        for rule, numbers in sorted(_broken(looks).items()):
            yield Finding(Invariant.I9, rule, f"{place[0]} {place[1]}: {numbers}")
    for each in history.stable:
        if each.stable < each.end:
            about = f"{each.place[0]} {each.place[1]}"
            yield Finding(Invariant.I9, "a transaction hangs", about)
    if history.settled > _ENDS_SECONDS:
        rule = f"a transaction hangs longer than {_ENDS_SECONDS:.0f} s"
        yield Finding(Invariant.I9, rule, f"{history.settled:.1f} s after the heal")


def _broken(looks: list[Offsets]) -> dict[str, str]:
    """What is broken, and by which numbers it was last seen."""
    found = dict[str, str]()
    for look in looks:
        if look.committed is not None and look.committed > (look.fence or 0):
            found["committed above the fence"] = f"{look.committed} above {look.fence}"
        if look.fence is not None and look.fence > look.end:
            found["the fence is above the end"] = f"{look.fence} above {look.end}"
    for before, look in pairwise(looks):
        if look.fence is not None and look.fence < (before.fence or 0):
            found["the fence went back"] = f"{before.fence} to {look.fence}"
    for before, look in pairwise(each for each in looks if not each.divided):
        if (look.committed or 0) < (before.committed or 0):
            numbers = f"{before.committed} to {look.committed}, fence {look.fence}"
            found["committed went back"] = f"{numbers}, seen {look.at - looks[0].at:.1f} s on"
    return found
