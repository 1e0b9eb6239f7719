"""Runs are summed up to one word: all must be well, and enough must have happened."""

from typing import Any

import pytest

from tests.chaos.run.release import page, summed

ENOUGH: dict[str, Any] = {
    "again": "make chaos SEED=1",
    "verdict": "green",
    "seconds": 1800.0,
    "happened": {"commands": 50_000, "faults": 1_000},
    "outcomes": {"ok": 49_000, "refused": 1_000, "unknown": 0},
    "too few": [],
    "violations": [],
    "unanswered after the heal": [],
    "seconds to each pending answer": [0.1, 9.0],
}


def test_two_halves_are_enough_when_all_is_well() -> None:
    told = summed([ENOUGH, ENOUGH])

    assert told["verdict"] == "green"
    assert "60 minutes, 100,000 commands, 2,000 faults; 0 violations" in page(told)
    assert "within 9.0 s (p99)" in page(told)


@pytest.mark.parametrize(
    ("changes", "verdict", "why"),
    [
        ({"seconds": 1700.0}, "void", "minutes: 58 of 60"),
        ({"happened": {"commands": 50_000, "faults": 999}}, "void", "faults: 1999 of 2000"),
        ({"too few": ["kills: 0 of 1"]}, "void", "make chaos SEED=1: kills: 0 of 1"),
        ({"violations": ["I2 lost: ana-1"]}, "broken", "I2 lost: ana-1"),
        ({"unanswered after the heal": ["c01"]}, "broken", "1 never"),
        ({"outcomes": {"ok": 50_000, "unknown": 1}}, "broken", "1 unknown"),
        ({"seconds to each pending answer": [10.5]}, "broken", "10.5 s (p99)"),
    ],
)
def test_one_that_is_not_well_spoils_the_sum(
    changes: dict[str, Any], verdict: str, why: str
) -> None:
    told = summed([ENOUGH, ENOUGH | changes])

    assert told["verdict"] == verdict
    assert why in page(told)
