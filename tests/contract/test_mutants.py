"""Each bug of `make mutants` still fits the code, and the tests aimed at it are there."""

import shutil
from pathlib import Path

import pytest

from tests.mutants.bug import Bug
from tests.mutants.bugs import BUGS

LEAST = 25


def test_there_are_enough_bugs_and_each_has_a_name_of_its_own() -> None:
    assert len({each.name for each in BUGS}) == len(BUGS) >= LEAST


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_it_changes_one_place_into_other_code(bug: Bug, repository: Path, tmp_path: Path) -> None:
    file = tmp_path / bug.path
    file.parent.mkdir(parents=True)
    shutil.copy(repository / bug.path, file)

    bug.put_into(tmp_path)

    source = file.read_text(encoding="utf-8")
    assert source != (repository / bug.path).read_text(encoding="utf-8")
    compile(source, bug.path, "exec")


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_tests_aimed_at_it_are_there(bug: Bug, repository: Path) -> None:
    assert bug.tests
    for file, _, test in (each.partition("::") for each in bug.tests):
        assert (repository / file).exists()
        assert not test or f"def {test.partition('[')[0]}(" in (repository / file).read_text(
            "utf-8"
        )
