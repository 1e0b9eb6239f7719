"""The worked example of CONTRIBUTING.md fits the code; tests/e2e follows it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.rig.repository_copy import copied
from tests.rig.worked_example import Step, follow, steps

STEPS = [*steps()]
LEAST = 10


def test_the_example_has_steps_and_changes_each_file_once() -> None:
    changed = [change.path for step in STEPS for change in step.changes]

    assert len(STEPS) >= LEAST
    assert len({*changed}) == len(changed) > LEAST


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_each_step_fits_the_code_and_names_what_fails_without(step: Step, repository: Path) -> None:
    for change in step.changes:
        file = repository / change.path
        assert file.exists() is not change.is_new
        source = "" if change.is_new else file.read_text(encoding="utf-8")
        assert change.made_to(source) != source
    assert step.changes or step.commands
    assert step.checks


def test_the_example_is_as_the_house_wants_it() -> None:
    with copied() as copy:
        changed = [path for path in follow(copy) if path.endswith(".py")]
        ran = [
            subprocess.run(
                (sys.executable, "-m", "ruff", *how, *changed),
                cwd=copy,
                check=False,
                capture_output=True,
                text=True,
            )
            for how in (("check", "--output-format", "concise"), ("format", "--check"))
        ]

    assert [each.stdout or each.stderr for each in ran if each.returncode] == []
