"""A bug is found by a test that fails, where all pass without it; by nothing else."""

from pathlib import Path

import pytest

from tests.mutants.bug import Bug
from tests.mutants.hunting import Hunt, NoMeasureError, hunt, require_passing
from tests.mutants.report import page, report

RIGHT, WRONG = "def server():\n    return 'up'\n", "def server():\n    return 'down'\n"
TESTS = """
import pytest
from code_of_theirs import server

@pytest.fixture
def up():
    assert server() == "up"

def test_of_the_server(up):
    pass
"""
FAILS = TESTS + "\ndef test_that_it_is_up():\n    assert server() == 'up'\n"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "service").mkdir()
    (tmp_path / "service/code_of_theirs.py").write_text(RIGHT, encoding="utf-8")
    return tmp_path


def aimed(copy: Path, tests: str, wrong: str = WRONG) -> Bug:
    (copy / "test_it.py").write_text(tests, encoding="utf-8")
    return Bug("a bug", "service/code_of_theirs.py", RIGHT, wrong, ("test_it.py",))


def test_a_test_that_fails_has_found_it_also_behind_an_error(copy: Path) -> None:
    bug = aimed(copy, FAILS)

    require_passing([bug], copy)
    found = hunt(bug, copy)

    assert found.by == "test_that_it_is_up"
    assert found.errors == ("test_it.py::test_of_the_server",)
    assert (copy / bug.path).read_text(encoding="utf-8") == RIGHT


def test_the_error_of_a_fixture_is_no_catch(copy: Path) -> None:
    found = hunt(aimed(copy, TESTS), copy)

    assert found.by is None
    assert found.errors == ("test_it.py::test_of_the_server",)


@pytest.mark.parametrize(
    ("tests", "says"),
    [
        ("def test_it():\n    assert False\n", "FAILED test_it.py::test_it"),
        (TESTS.replace('== "up"', '== "dead"'), "ERROR test_it.py::test_of_the_server"),
        ("import nothing_of_this_name\n", "ERROR test_it.py"),
        ("", "no tests ran"),
    ],
    ids=["one fails", "a fixture fails", "no module", "no tests"],
)
def test_nothing_is_measured_unless_all_pass_without_a_bug(
    copy: Path, tests: str, says: str
) -> None:
    with pytest.raises(NoMeasureError, match=says):
        require_passing([aimed(copy, tests)], copy)


def test_what_cannot_even_be_collected_with_a_bug_is_no_measure(copy: Path) -> None:
    bug = aimed(copy, TESTS, "raise RuntimeError\n")

    with pytest.raises(NoMeasureError, match="could not run"):
        hunt(bug, copy)


@pytest.mark.parametrize(
    ("by", "seconds", "verdict"),
    [("test_it", 50.0, "green"), (None, 1.0, "broken"), ("test_it", 61.0, "broken")],
)
def test_a_run_is_green_when_each_bug_is_found_in_time(
    by: str | None, seconds: float, verdict: str
) -> None:
    bug = Bug("a bug", "service/code_of_theirs.py", RIGHT, WRONG, ("test_it.py",))

    told = report([Hunt(bug, by, seconds)], 7.0)

    assert told["verdict"] == verdict
    assert (f"| a bug | `{bug.path}` | `{by}` |" if by else "| **nobody** |") in page(told)
