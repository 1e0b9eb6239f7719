"""Runs of pytest in a folder, each in a fork of a process that has imported what others wrote.

`python -P forked_checks.py`, in the folder. Standard input is JSON: `servers`, where Kafka and
PostgreSQL listen, and `runs`, each with the `tests` to run and the `files` that have another text
meanwhile (null: are not there). Standard output is JSON: the status and the output of each run.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Generator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

_OTHERS = (
    *("aiokafka", "alembic", "argon2", "asyncpg", "cryptography.x509", "faststream.kafka"),
    *("hypothesis.stateful", "joserfc.jwe", "langcodes", "nacl.pwhash", "psutil", "pytest_asyncio"),
    *("rich.console", "sqlalchemy.dialects.postgresql.asyncpg", "structlog", "typer", "uvicorn"),
    *("uvloop", "zxcvbn"),
)
_QUIETLY = (
    *("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "--tb=short"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # for what is imported before
)


class Given:
    """Tells the tests where the servers are, as pytest-xdist tells its workers."""

    def __init__(self, servers: list[str]) -> None:
        self.servers = servers

    def pytest_configure(self, config: Any) -> None:
        config.workerinput = {"servers": self.servers}


def checked(tests: list[str], servers: list[str]) -> tuple[int, str]:
    """The status and the output of one run."""
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            status = pytest.main([*_QUIETLY, *tests], plugins=[Given(servers)])
            sys.stdout.flush()
            os._exit(status)
        _, status = os.waitpid(child, 0)
        said.seek(0)
        return os.waitstatus_to_exitcode(status), said.read()


@contextlib.contextmanager
def written(files: dict[str, str | None]) -> Generator[None]:
    """The files have another text for as long as the block lasts."""
    before = {path: Path(path).read_text(encoding="utf-8") for path in files}
    _write(files)
    yield
    _write(before)


def _write(files: Mapping[str, str | None]) -> None:
    for path, text in files.items():
        if text is None:
            Path(path).unlink()
        else:
            Path(path).write_text(text, encoding="utf-8")


def main() -> None:
    """Run them, one after the other."""
    asked = json.load(sys.stdin)
    with contextlib.redirect_stdout(io.StringIO()):
        for name in _OTHERS:
            import_module(name)
    found: list[tuple[int, str]] = []
    for run in asked["runs"]:
        with written(run["files"]):
            found.append(checked(run["tests"], asked["servers"]))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
