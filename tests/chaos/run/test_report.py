"""A run counts only when enough happened, and says what was wrong."""

from dataclasses import replace

import pytest

from tests.chaos.checker.check import check
from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import History, Look
from tests.chaos.checker.story import good
from tests.chaos.run.members import End
from tests.chaos.run.menu import KILLS
from tests.chaos.run.nemesis import Struck
from tests.chaos.run.page import page
from tests.chaos.run.report import report, too_few
from tests.chaos.run.runs import Plan, Run

WRONG = Finding(Invariant.I2, "lost", "ana-1")
LOOKS = (
    *[Look(session="s3", at=9, taken=True)] * 40,
    *[Look(session="s1", at=9, taken=False, revoked=True, knows=8)] * 4,
)
CALLS = tuple(each for each in good().calls if each.ended != "unknown") * 4
ERASED = next(each for each in CALLS if each.kind == "EraseUser")
AGAIN = replace(CALLS[0], subject=ERASED.subject, invoked=ERASED.invoked + 1)
HISTORY = replace(good(), calls=(*CALLS, AGAIN), looks=LOOKS)
REFUSED = "authbus: cannot connect at 127.0.0.1:9092: nobody answers. Is Kafka there, is ... its"


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
        (a_run(history=replace(HISTORY, calls=CALLS)), "erased and registered again: 0 of 1"),
        (
            a_run(history=replace(HISTORY, calls=tuple(each for each in CALLS if each != ERASED))),
            "accounts shut or erased: 0 of 4",
        ),
    ],
)
def test_a_run_below_its_minimum_is_void_and_not_green(made: Run, what: str) -> None:
    assert what in too_few(made)
    assert report(made, [])["verdict"] == "void"


def test_a_soak_counts_only_with_a_line_through_what_each_service_holds() -> None:
    made = a_run()
    short = replace(made, plan=replace(made.plan, profile="soak"))

    assert too_few(short) == ["lines through a long life: 1 of 4"]


def test_a_violation_breaks_a_run_also_when_too_little_happened() -> None:
    told = report(a_run(faults=0), [WRONG])

    assert told["verdict"] == "broken"
    assert "I2 lost: ana-1" in page(told)


def test_a_command_that_is_never_answered_breaks_a_run() -> None:
    made = a_run()
    made.unanswered.append("c01")

    assert report(made, [])["verdict"] == "broken"


def test_a_command_of_unknown_outcome_breaks_a_run() -> None:
    unknown = next(each for each in good().calls if each.ended == "unknown")
    made = a_run(history=replace(HISTORY, calls=(*HISTORY.calls, unknown)))

    assert report(made, [])["verdict"] == "broken"


@pytest.mark.parametrize(
    "end",
    [
        End(1, "authbus: the relay makes no progress for 60 s while work waits", has_run=True),
        End(1, REFUSED, has_run=True),
        End(1, "ZeroDivisionError: division by zero", has_run=False),
        End(1, "authbus: a master key is not random. Make one", has_run=False),
        End(-11, REFUSED, has_run=False),
        End(0, '{"event":"the service has stopped"}', has_run=True),
    ],
    ids=lambda end: f"{end.status} {end.words[:12]}",
)
def test_a_service_that_ended_by_itself_breaks_a_run(end: End) -> None:
    made = a_run()
    made.ended_alone.append(end)

    told = report(made, [])
    assert told["verdict"] == "broken"
    assert f"nobody told it to, status {end.status}: {end.words}" in page(told)


def test_a_service_that_could_not_start_while_kafka_was_away_breaks_none() -> None:
    made = a_run()
    made.ended_alone.append(End(1, REFUSED, has_run=False))

    told = report(made, [])
    assert told["verdict"] == "green"
    assert "could not start, status 1" in page(told)


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
