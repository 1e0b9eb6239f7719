"""Runs are summed up to one word: all must be well, and enough must have happened."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.chaos.run import disks, nodes
from tests.chaos.run.menu import LANES, TERMINATIONS, menu
from tests.chaos.run.release import KEPT, LEAST, RUNS, least, page, summed
from tests.chaos.run.report import happened
from tests.chaos.run.report import least as of_run
from tests.chaos.run.running import Plan, Run

FAULTS = [name for lane in LANES for name in lane.names]
ALL = least(FAULTS)
HALF = {name: -(-n // 2) for name, n in ALL.items()} | dict.fromkeys(TERMINATIONS, 23)
ENOUGH: dict[str, Any] = {
    "again": "make chaos SEED=1",
    "verdict": "green",
    "seconds": 1800.0,
    "happened": HALF,
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
        ({"happened": HALF | {"faults": 999}}, "void", "faults: 1999 of 2000"),
        ({"happened": HALF | {"unknown commits": 59}}, "void", "unknown commits: 119 of 120"),
        ({"happened": HALF | {"kill a service": 4}}, "void", "kill a service: 9 of 10"),
        ({"happened": HALF | dict.fromkeys(TERMINATIONS, 21)}, "void", "terminations: 88 of 90"),
        ({"too few": ["kills: 0 of 1"]}, "void", "make chaos SEED=1: kills: 0 of 1"),
        ({"verdict": "broken"}, "broken", "| `make chaos SEED=1` | broken |"),
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


def test_without_any_one_class_all_runs_are_void() -> None:
    told = summed([ENOUGH | {"happened": dict.fromkeys(FAULTS, 0)}] * 2)

    assert told["verdict"] == "void"
    assert told["too few"] == [f"{name}: 0 of {n}" for name, n in ALL.items() if name != "minutes"]


def test_what_is_asked_of_all_runs_is_told_of_each_and_no_less_than_each_must_have() -> None:
    of = {
        "small": tuple(each for each in FAULTS if each not in nodes.MENU),
        "soak": menu("soak"),
        "full": tuple(each for each in FAULTS if each not in disks.MENU),
    }
    runs = [Run(Plan(seconds, seed, of[profile])) for profile, seed, seconds in RUNS]
    told = {name for each in runs for name in happened(each)}
    own = sum((Counter(of_run(each)) for each in runs), Counter[str]())

    assert {*ALL} - told == {"minutes", "terminations"}
    assert {name: own[name] for name, n in LEAST.items() if own[name] > n} == {}


def test_a_page_says_of_each_how_many_were_needed() -> None:
    text = page(summed([ENOUGH, ENOUGH]))

    assert "| kills and stops | 400 | 400 |" in text
    assert "| kill after a reply | 10 | 10 |" in text


# Only here: what is kept may be older than what is asked of it, until all is run again.
@pytest.mark.nightly
def test_the_kept_report_is_green_and_has_enough_of_each_class() -> None:
    told = json.loads((KEPT / "report.json").read_bytes())
    happened = Counter[str](told["happened"])

    assert told["verdict"] == "green"
    assert {name: happened[name] for name, n in ALL.items() if happened[name] < n} == {}
