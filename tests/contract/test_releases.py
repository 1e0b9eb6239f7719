"""The gate between two spec folders: a release against the one before it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authbus import specification
from tests.frozen.kept import versions

Json = dict[str, Any]
LOG_IN = "authbus.LogIn.v1"
STARTED = "events/SessionStarted.v1.json"
SEALED = "envelope/Sealed.v1.json"


CHANGES: list[tuple[str, Callable[[Json], object], str]] = [
    (
        "contract.json",
        lambda table: row(table).update(topic="auth.commands.sessions.v1"),
        "authbus.LogIn.v1: topic auth.commands.credentials.v1 is now auth.commands.sessions.v1",
    ),
    (
        "contract.json",
        lambda table: row(table).update(reply="authbus.LoggedIn.v2"),
        "authbus.LogIn.v1: reply authbus.LoggedIn.v1 is now authbus.LoggedIn.v2",
    ),
    (
        "contract.json",
        lambda table: table["topics"]["auth.events.v1"].update(partitions=24),
        "auth.events.v1: partitions 12 are now 24",
    ),
    (
        "contract.json",
        lambda table: table["topics"].pop("auth.events.v1"),
        "auth.events.v1: partitions 12 are now None",
    ),
    (
        "contract.json",
        lambda table: table["messages"]["authbus.LoggedIn.v1"].update(sealed=False),
        "authbus.LoggedIn.v1: sealed True is now False",
    ),
    (
        "contract.json",
        lambda table: table["messages"]["authbus.UserState.v1"]["personal"].remove("email"),
        "authbus.UserState.v1: email is no longer marked personal",
    ),
    (
        "contract.json",
        lambda table: table["rejections"].pop("busy"),
        "code busy: is gone",
    ),
    (
        STARTED,
        lambda schema: schema["required"].remove("client_id"),
        f"{STARTED} .client_id: needed, but not always written",
    ),
    (
        STARTED,
        lambda schema: schema["required"].append("city"),
        f"{STARTED} .city: needed, but not always written",
    ),
    (
        SEALED,
        lambda schema: schema["required"].append("reply_to"),
        f"{SEALED} .reply_to: needed, but not always written",
    ),
]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(specification.FOLDER, tmp_path / "old"))


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return Path(shutil.copytree(specification.FOLDER, tmp_path / "new"))


def edit(path: Path, change: Callable[[Json], object]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def row(table: Json) -> Json:
    return next(row for row in table["commands"] if row["command"] == LOG_IN)


def test_this_version_breaks_nothing_of_the_last_one_that_is_kept() -> None:
    assert specification.breaks(versions()[-1].spec, specification.FOLDER) == []


def test_the_same_release_breaks_nothing(old: Path, new: Path) -> None:
    assert specification.breaks(old, new) == []


def test_a_new_message_and_a_new_code_break_nothing(old: Path, new: Path) -> None:
    (new / "events" / "New.v1.json").write_text("{}")
    edit(new / "contract.json", lambda table: table["rejections"].update(quota={}))

    assert specification.breaks(old, new) == []


@pytest.mark.parametrize(("path", "change", "expected"), CHANGES)
def test_a_breaking_change_is_named(
    old: Path, new: Path, path: str, change: Callable[[Json], object], expected: str
) -> None:
    edit(new / path, change)

    assert specification.breaks(old, new) == [expected]


def test_a_message_that_is_gone_breaks_and_the_command_line_fails(old: Path, new: Path) -> None:
    (new / STARTED).unlink()
    folders = ("--against", str(old), "--folder", str(new))

    done = subprocess.run(
        (sys.executable, "-m", "authbus", "spec", *folders),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, f"{STARTED}: is gone\n")
