"""Each threat that is told of names tests, and they are there."""

import re
from pathlib import Path

_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
_FOLDERS = ("", "integration")
_HEAD = 2


def _rows(repository: Path) -> list[str]:
    lines = (repository / "deploy/threats.md").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("| ")][_HEAD:]


def _is_there(tests: Path, file: str, name: str) -> bool:
    paths = [tests / folder / file for folder in _FOLDERS]
    return any(each.exists() and f"def {name}(" in each.read_text("utf-8") for each in paths)


def test_each_threat_names_tests_that_there_are(repository: Path) -> None:
    named = {row: _TEST.findall(row.rsplit("|", 2)[1]) for row in _rows(repository)}

    assert len(named) > 20
    assert not [row for row, tests in named.items() if not tests]
    found = [each for tests in named.values() for each in tests]
    assert not [each for each in found if not _is_there(repository / "tests", *each)]
