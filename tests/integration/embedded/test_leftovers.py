"""Temporary folders of killed runs go with the next start, those in use stay."""

import os
import tempfile
from pathlib import Path

import pytest

from authbus_service.embedded.data_folder import DataFolder
from tests.integration.embedded.helpers import exists


async def test_a_start_removes_what_killed_runs_left_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    in_use, starting = DataFolder(None), tmp_path / "authbus-embedded-starting"
    left, trap = tmp_path / "authbus-embedded-left", tmp_path / "authbus-embedded-trap"
    await in_use.claim()
    for folder in (starting, left):
        folder.mkdir()
    trap.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    for folder in (left, in_use.path):
        os.utime(folder, (0, 0))

    fresh = DataFolder(None)
    await fresh.claim()

    assert not exists(left)
    assert exists(in_use.path)
    assert exists(starting)
    assert not exists(tmp_path / "elsewhere")
    for folder in (in_use, fresh):
        folder.leave()
