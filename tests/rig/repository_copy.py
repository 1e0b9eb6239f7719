"""A copy of the repository, to be changed and tested there."""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]
_COPIED = (
    *("service", "schemas", "migrations", "tests", "deploy", "pyproject.toml"),
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md"),
)


@contextmanager
def copied() -> Generator[Path]:
    """What is needed to run tests, in a folder that goes at the end."""
    with tempfile.TemporaryDirectory(prefix="copy-") as folder:
        for name in _COPIED:
            source, to = _REPOSITORY / name, Path(folder) / name
            if source.is_dir():
                shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, to)
        yield Path(folder)


def environment(copy: Path) -> dict[str, str]:
    """In which a program imports the copy's code."""
    paths = os.pathsep.join(str(copy / each) for each in ("service", "schemas"))
    return {**os.environ, "PYTHONPATH": paths}
