"""What a read_committed reader saw, held against what the database committed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.integration.relay.world import World


@dataclass(frozen=True, slots=True)
class Verdict:
    """All zero is right. Values are `<user> <sequence>`; an inversion is within one user."""

    duplicates: int = 0
    lost: int = 0
    ghosts: int = 0
    inversions: int = 0


def judge(committed: Iterable[bytes], seen: Sequence[bytes]) -> Verdict:
    """Compare; `seen` is in the order of the partitions."""
    wanted, counts = set(committed), Counter(seen)
    newest: dict[bytes, int] = {}
    inversions = 0
    for value in dict.fromkeys(seen):
        user, _, sequence = value.partition(b" ")
        inversions += int(sequence) != newest.get(user, 0) + 1
        newest[user] = int(sequence)
    return Verdict(
        duplicates=sum(counts.values()) - len(counts),
        lost=len(wanted - counts.keys()),
        ghosts=len(counts.keys() - wanted),
        inversions=inversions,
    )


async def verdict(world: World, committed: Iterable[bytes]) -> Verdict:
    """The same for all that is on the topic by now."""
    return judge(committed, [record.value or b"" for record in await world.read()])
