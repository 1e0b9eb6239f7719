"""Thousands of records by chance, and a seal byte after byte, before any database is asked."""

from random import Random
from time import monotonic

from tests.fuzz.corpus.mutations import MUTATIONS
from tests.fuzz.corpus.seals import ALGORITHMS, ALTERED
from tests.fuzz.driving import STALL
from tests.fuzz.offline import offline

EACH_COMMIT = 5_000


def test_of_five_thousand_records_altered_by_chance_each_has_one_end_that_it_may_have() -> None:
    there, wrong, slowest = offline("each commit"), list[str](), 0.0
    cases = list(MUTATIONS.cases(Random("each commit"), EACH_COMMIT))

    for case in cases:
        made = case.make(there.scene)
        (item,) = made.items
        began = monotonic()
        end = there.end_of(item)
        slowest = max(slowest, monotonic() - began)
        if [end] not in made.ends:
            wrong.append(f"{case.name}: {end}, not {made.ends}")

    assert len(cases) == EACH_COMMIT
    assert wrong == []
    assert slowest < STALL


def test_the_seals_that_are_altered_byte_by_byte_are_so_to_the_last_byte() -> None:
    scene = offline("a seal").scene
    longest = max(len(scene.log_out().value) for _ in range(50))

    assert ALTERED.least - len(ALGORITHMS) >= longest


def test_whatever_byte_of_a_seal_is_flipped_it_opens_for_nobody() -> None:
    there = offline("a seal")
    flips = list(ALTERED.cases(Random("a seal"), ALTERED.least))[len(ALGORITHMS) :]

    for case in flips:
        made = case.make(there.scene)
        assert [there.end_of(made.items[0])] in made.ends, case.name
