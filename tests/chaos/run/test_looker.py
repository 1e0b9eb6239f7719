"""What a look at offsets is worth beside the faults of its time."""

import pytest

from tests.chaos.checker.history import Offsets
from tests.chaos.run.looker import beside
from tests.chaos.run.nemesis import Struck
from tests.chaos.run.nodes import FROM_PEERS, PARTITIONS

PLACE = ("commands.credentials.v1", 0)


def look(since: float, at: float) -> Offsets:
    return Offsets(since=since, at=at, place=PLACE, committed=1, fence=1, end=1)


@pytest.mark.parametrize("name", FROM_PEERS)
def test_a_look_is_divided_where_a_node_was_cut_off_from_its_peers_for_a_part_of_it(
    name: str,
) -> None:
    others = (each for each in PARTITIONS if each not in FROM_PEERS)
    struck = [Struck(name, 10.0, 12.0), *(Struck(each, 0.0, 99.0) for each in others)]
    looks = [look(*each) for each in ((8, 9), (9, 10), (11, 11.5), (11.9, 13), (12.1, 13))]

    divided = [each.divided for each in beside(looks, struck)]

    assert divided == [False, True, True, True, False]
