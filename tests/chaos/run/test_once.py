"""What is kept of a run, also of one that is not well."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.checker.history import History
from tests.chaos.checker.story import good
from tests.chaos.run import once
from tests.chaos.run.once import judged, judged_again, read
from tests.chaos.run.runs import Plan, Run

PLAN = Plan(0, 7, ())


def of(monkeypatch: pytest.MonkeyPatch, folder: Path, history: History) -> Path:
    """The folder in which such a run is kept."""

    async def run(plan: Plan, servers: Path) -> Run:
        (servers / "service0.log").write_text("{}\n")
        return Run(plan, history=history)

    monkeypatch.chdir(folder)
    monkeypatch.setattr(once, "run", run)
    judged(PLAN)
    return folder / "build/chaos/seed-7"


def test_of_a_run_that_is_broken_all_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = of(monkeypatch, tmp_path, replace(good(), settled=99.0))

    told = json.loads((folder / "report.json").read_bytes())
    assert told["verdict"] == "broken"
    assert "make chaos SEED=7" in (folder / "report.md").read_text()
    assert len(json.loads((folder / "history.json").read_bytes())["calls"]) == len(good().calls)
    assert (folder / "service0.log").read_text() == "{}\n"


def test_a_history_that_is_kept_is_read_as_it_was_and_judged_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = of(monkeypatch, tmp_path, replace(good(), failures={"ana": 11}))
    once_wrong = json.loads((folder / "report.json").read_bytes())
    kept = read(folder / "history.json")
    (folder / "history.json").write_text(
        (folder / "history.json").read_text().replace('{"ana": 11}', '{"ana": 10}')
    )

    told = judged_again(folder)

    assert kept == replace(good(), failures={"ana": 11})
    assert once_wrong["violations"] == ["I8 more guesses than allowed: ana"]
    assert told == json.loads((folder / "report.json").read_bytes())
    assert told == once_wrong | {"violations": []}


def test_of_a_run_that_is_green_no_history_is_kept_and_none_of_one_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    of(monkeypatch, tmp_path, good())
    folder = of(monkeypatch, tmp_path, History())

    assert sorted(each.name for each in folder.iterdir()) == [
        "report.json",
        "report.md",
        "service0.log",
    ]
    assert json.loads((folder / "report.json").read_bytes())["verdict"] == "green"
