"""A run of bad inputs is green when there were enough of each class and each had its end."""

from collections import Counter

import pytest

from tests.fuzz.case import Family, each, one
from tests.fuzz.driving import MIB, Result
from tests.fuzz.report import page, report

FEW = Family("few", 3, [])


def told(*, cases: int = 3, wrong: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> str:
    result = Result(FEW, cases, Counter(bad_json=6), wrong=list(wrong), growth=7 * MIB)
    made = report([result], after, seed=7, good=0.1)
    shown = page(made)
    assert all(line in shown for line in (*wrong, *after))
    assert "| few |" in shown
    assert "6 bad_json" in shown
    return str(made["verdict"])


def test_enough_cases_with_their_ends_are_green() -> None:
    assert told() == "green"


def test_fewer_cases_than_a_class_needs_are_void_and_not_green() -> None:
    assert told(cases=2) == "void"


@pytest.mark.parametrize("cases", [2, 3])
def test_one_wrong_end_is_broken_however_many_there_were(cases: int) -> None:
    assert told(cases=cases, wrong=("a case: nothing",)) == "broken"
    assert told(cases=cases, after=("a secret shows in the log",)) == "broken"


def test_one_end_is_one_and_no_other() -> None:
    ends = one("bad_seal", "not_sealed")

    assert ["bad_seal"] in ends
    for said in (["bad_seal"] * 2, ["bad_seal", "not_sealed"], [], ["expired"]):
        assert said not in ends


def test_several_ends_are_counted() -> None:
    ends = each("invalid", "expired", "invalid")

    assert ["expired", "invalid", "invalid"] in ends
    assert ["expired", "invalid"] not in ends
    assert [] in each()
    assert ["invalid"] not in each()
