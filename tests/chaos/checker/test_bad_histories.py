"""Each way to break an invariant is found, for its own reason and no other."""

import pytest

from tests.chaos.checker import bad_answers, bad_effects, bad_ends, bad_rows
from tests.chaos.checker.check import check
from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.story import good

BAD = {
    **bad_effects.EFFECTS,
    **bad_effects.SAYING,
    **bad_answers.ANSWERS,
    **bad_answers.REPLAYS,
    **bad_answers.REGISTERS,
    **bad_answers.BOUNDS,
    **bad_answers.OFFSETS,
    **bad_answers.LEAKS,
    **bad_ends.ENDS,
    **bad_rows.ROWS,
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_history_is_flagged_for_its_reason_alone(name: str) -> None:
    edit, invariant, rule, about, *beside = BAD[name]

    assert check(edit(good())) == sorted([Finding(invariant, rule, about), *beside])


def test_each_invariant_has_a_bad_history() -> None:
    assert {case[1] for case in BAD.values()} == set(Invariant)
    assert len(BAD) >= 40
