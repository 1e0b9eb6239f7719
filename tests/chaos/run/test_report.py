"""A run counts only when enough happened, and says what was wrong."""

from dataclasses import replace

import pytest

from tests.chaos.checker.check import check
from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import History, Look
from tests.chaos.checker.story import good
from tests.chaos.run.menu import KILLS
from tests.chaos.run.nemesis import Struck
from tests.chaos.run.report import page, report, too_few
from tests.chaos.run.runs import Plan, Run

WRONG = Finding(Invariant.I2, "lost", "ana-1")
LOOKS = (
    *[Look(session="s3", at=9, taken=True)] * 40,
    *[Look(session="s1", at=9, taken=False, revoked=True, knows=8)] * 4,
)
HISTORY = replace(good(), calls=good().calls * 4, looks=LOOKS)


def a_run(faults: int = 8, history: History = HISTORY, twice: int = 9) -> Run:
    """As much as makes a run of half a minute count, unless told otherwise."""
    made = Run(Plan(40, 7, KILLS), began=100, healed=140, history=history)
    made.struck = [Struck(KILLS[n % len(KILLS)], 100 + n, 100.5 + n) for n in range(faults)]
    made.counts["sent twice at once"] = twice
    made.replayed["selected"] = len(history.calls)
    return made


def test_a_run_with_enough_of_all_and_nothing_wrong_is_green() -> None:
    assert check(good()) == []
    assert report(a_run(), [])["verdict"] == "green"


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (a_run(faults=2), "faults: 2 of 5"),
        (a_run(faults=3), "terminate backends: 0 of 1"),
        (a_run(twice=0), "duplicate sends: 0 of 2"),
        (a_run(history=History()), "commands: 0 of 40"),
        (a_run(history=replace(HISTORY, looks=LOOKS[1:])), "tokens taken: 39 of 40"),
        (
            a_run(history=replace(HISTORY, looks=LOOKS[:-1])),
            "tokens refused whose end was known: 3 of 4",
        ),
    ],
)
def test_a_run_below_its_minimum_is_void_and_not_green(made: Run, what: str) -> None:
    assert what in too_few(made)
    assert report(made, [])["verdict"] == "void"


def test_a_violation_breaks_a_run_also_when_too_little_happened() -> None:
    told = report(a_run(faults=0), [WRONG])

    assert told["verdict"] == "broken"
    assert "I2 lost: ana-1" in page(told)


def test_a_command_that_is_never_answered_breaks_a_run() -> None:
    made = a_run()
    made.unanswered.append("c01")

    assert report(made, [])["verdict"] == "broken"


def test_the_page_names_the_seed_that_runs_it_again() -> None:
    assert "`make chaos SEED=7 SECONDS=40`" in page(report(a_run(), []))


def test_the_report_says_when_each_log_in_was_answered_and_how_long_it_took() -> None:
    log_ins = [call for call in good().calls if call.kind == "LogIn" and call.ended == "ok"]
    made = a_run(history=good())
    made.began = 0.0

    told = report(made, [])["log-ins"]

    assert [(each["at"], each["took"]) for each in told] == sorted(
        (each.returned, round(each.returned - each.invoked, 3)) for each in log_ins if each.returned
    )
    assert len(told) > 1
