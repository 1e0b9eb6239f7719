"""Harm under load: nothing is lost, nothing is doubled, and all is answered afterwards."""

import re
import sys
from collections import Counter
from typing import Any

import pytest

from tests.chaos.run import __main__ as program
from tests.chaos.run import disks, nodes
from tests.chaos.run.menu import LANES
from tests.chaos.run.once import judged
from tests.chaos.run.page import page
from tests.chaos.run.report import least, report
from tests.chaos.run.runs import Plan, Run, planned

PAIR = tuple(planned("gate", seed, 120) for seed in (11, 12))
NIGHTLY = tuple(planned("small", seed, 240) for seed in (13, 14))
FEWEST = sum((Counter(least(Run(each))) for each in PAIR), Counter[str]())


def test_the_pair_of_two_minutes_counts_from_eighty_faults_on() -> None:
    assert FEWEST["faults"] >= 80
    assert FEWEST["kills and stops"] >= 20
    assert FEWEST["on the wire in a transaction"] >= 20


def test_the_pair_counts_with_all_that_can_be_done_to_one_broker_without_being_root() -> None:
    anywhere = {name for lane in LANES for name in lane.names} - {*nodes.MENU, *disks.MENU}

    assert {name for each in PAIR for name in each.menu} == anywhere
    assert {name for name in anywhere if not FEWEST[name]} == set()


@pytest.mark.parametrize("plan", [*PAIR, *NIGHTLY], ids=lambda plan: f"seed-{plan.seed}")
def test_what_the_page_names_runs_the_same_plan_again(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", "aiokafka")  # the program does; the fixture takes it back
    asked = list[Plan]()

    def noted(given: Plan) -> dict[str, Any]:
        asked.append(given)
        return report(Run(given), [])

    settings = re.findall(r"([A-Z]+)=([a-z0-9]+)", report(Run(plan), [])["again"])
    arguments = (each for name, value in settings for each in (f"--{name.lower()}", value))
    monkeypatch.setattr(program, "judged", noted)
    monkeypatch.setattr(sys, "argv", ["chaos", *arguments])
    program.main()

    assert asked == [plan]


@pytest.mark.timeout(500)
@pytest.mark.parametrize(
    "plan",
    [
        *(pytest.param(each, marks=pytest.mark.seeds) for each in PAIR),
        *(pytest.param(each, marks=pytest.mark.nightly) for each in NIGHTLY),
    ],
    ids=lambda plan: f"seed-{plan.seed}",
)
def test_minutes_of_kills_and_broken_requests_break_no_promise(plan: Plan) -> None:
    told = judged(plan)

    assert told["verdict"] == "green", page(told)
