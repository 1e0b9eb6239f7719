"""`authbus --help` is there at once: a command's work is imported when it runs, and no sooner."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

MOST_SECONDS, TRIES = 0.4, 10
HEAVY = {
    "aiokafka",
    "alembic",
    "asyncpg",
    "authbus",
    "cryptography",
    "faststream",
    "joserfc",
    "rich.progress",
    "sqlalchemy",
    "uvloop",
}
# Typer reads the arguments of a group by it.
FOR_GROUPS = {"asyncio", "pydantic"}


def seconds(*arguments: str) -> float:
    """What a command takes by the clock, but for when others had the processor that it wanted."""
    began = time.monotonic()
    with subprocess.Popen(
        (sys.executable, "-m", "authbus_service", *arguments), stdout=subprocess.DEVNULL
    ) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        took = time.monotonic() - began
        _, waited, _ = Path(f"/proc/{child.pid}/schedstat").read_text().split()
    assert child.returncode == 0
    return took - int(waited) / 1e9


def test_help_is_there_in_less_than_four_tenths_of_a_second() -> None:
    assert any(seconds("--help") < MOST_SECONDS for _ in range(TRIES))


@pytest.mark.parametrize(
    ("arguments", "heavy"), [(("--help",), HEAVY | FOR_GROUPS), (("keys", "--help"), HEAVY)]
)
def test_help_imports_nothing_that_only_work_needs(
    arguments: tuple[str, ...], heavy: set[str]
) -> None:
    imported = modules("-m", "authbus_service", *arguments)

    assert "authbus_service.cli.app" in imported
    assert imported & heavy == set()


def test_copying_events_begins_without_a_library_of_databases() -> None:
    imported = modules("-c", "import authbus_service.cli.copying")

    assert "aiokafka" in imported
    assert imported & {"alembic", "asyncpg", "faststream", "sqlalchemy"} == set()


def modules(*arguments: str) -> set[str]:
    """All that such a process imports."""
    told = subprocess.run(
        (sys.executable, "-X", "importtime", *arguments),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stderr
    return {line.rpartition("|")[2].strip() for line in told.splitlines()}
