"""I9: offsets follow the fence, and no transaction hangs."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import History, Offsets, Place


def offsets(history: History) -> Iterator[Finding]:
    """Judge each look by itself, and against the one before it.

    A look reads the group before the fence and the fence before the end, so what moves meanwhile
    breaks no rule.
    """
    by_place = defaultdict[Place, list[Offsets]](list)
    for each in sorted(history.offsets, key=lambda each: each.at):
        by_place[each.place].append(each)
    for place, looks in by_place.items():
        for rule in sorted(_broken(looks)):
            yield Finding(Invariant.I9, rule, f"{place[0]} {place[1]}")
    for each in history.stable:
        if each.stable < each.end:
            about = f"{each.place[0]} {each.place[1]}"
            yield Finding(Invariant.I9, "a transaction hangs", about)


def _broken(looks: list[Offsets]) -> set[str]:
    found = set[str]()
    for look in looks:
        if look.committed is not None and look.committed > (look.fence or 0):
            found.add("committed above the fence")
        if look.fence is not None and look.fence > look.end:
            found.add("the fence is above the end")
    for before, look in pairwise(looks):
        if look.fence is not None and look.fence < (before.fence or 0):
            found.add("the fence went back")
        if not look.moved and (look.committed or 0) < (before.committed or 0):
            found.add("committed went back")
    return found
