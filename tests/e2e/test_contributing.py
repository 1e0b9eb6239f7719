"""The worked example of CONTRIBUTING.md, followed in a copy of the repository."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from authbus_service.embedded import Addresses
from tests.rig.repository_copy import copied, environment
from tests.rig.worked_example import Change, Step, follow, steps

RUNNER = Path(__file__).resolve().parents[1] / "rig" / "forked_checks.py"
STEPS = [*steps()]
WHOLE = [
    *("tests/contract/test_contract_rows.py", "tests/contract/test_new_commands.py"),
    *("tests/contract/test_privacy.py", "tests/contract/test_spec.py"),
    *("tests/integration/consumers/test_clear_devices.py", "tests/model/test_sequences.py"),
    *sorted({check for step in STEPS for check in step.checks}),
    *("-m", "not gate and not slow and not nightly"),
    *("-k", "Devices or not v1"),  # of those that go through all messages, those about the new ones
]
Run = dict[str, Any]


@pytest.fixture(scope="module")
def copy() -> Iterator[Path]:
    with copied() as folder:
        yield folder


def order(copy: Path, command: str) -> None:
    """One command of the page; `authbus` is the copy's."""
    program, *arguments = command.split()
    assert program == "authbus"
    subprocess.run(
        (sys.executable, "-m", "authbus_service", *arguments),
        cwd=copy,
        env=environment(copy),
        check=True,
        capture_output=True,
    )


def checked(copy: Path, servers: Addresses, runs: list[Run]) -> list[tuple[int, str]]:
    done = subprocess.run(
        (sys.executable, "-P", str(RUNNER)),
        cwd=copy,
        env=environment(copy),
        input=json.dumps({"servers": astuple(servers), "runs": runs}),
        capture_output=True,
        text=True,
        check=True,
    )
    return [(status, said) for status, said in json.loads(done.stdout)]


def failed(run: tuple[int, str]) -> bool:
    """Whether a test failed, or could not be read without what is missing."""
    status, said = run
    return status != 0 and any(word in said for word in ("FAILED tests/", "ERROR tests/", "Import"))


def without(step: Step, change: Change, before: dict[str, str | None]) -> Run:
    return {"tests": [*step.checks], "files": {change.path: before[change.path]}}


@pytest.mark.nightly
@pytest.mark.timeout(300)
def test_all_steps_make_a_command_and_each_forgotten_change_fails_the_named_check(
    shared: Addresses, copy: Path
) -> None:
    before = follow(copy)
    commands = [(step, command) for step in STEPS for command in step.commands]
    runs = [{"tests": [*step.checks], "files": {}} for step, _ in commands]
    assert all(failed(run) for run in checked(copy, shared, runs))
    for _, command in commands:
        order(copy, command)

    forgotten = [(step, change) for step in STEPS for change in step.changes]
    runs = [without(step, change, before) for step, change in forgotten]
    whole, *found = checked(copy, shared, [{"tests": WHOLE, "files": {}}, *runs])

    assert whole[0] == 0, whole[1]
    passed = [
        change.path for (_, change), run in zip(forgotten, found, strict=True) if not failed(run)
    ]
    assert passed == []
