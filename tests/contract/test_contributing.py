"""The worked example of CONTRIBUTING.md fits the code; tests/e2e follows it."""

from pathlib import Path

import pytest

from tests.rig.worked_example import Step, steps

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
