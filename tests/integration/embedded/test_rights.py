"""Who may not write into a folder is told which one, in one line."""

from pathlib import Path

import pytest

from authbus_service.embedded import kafka_home
from tests.integration.embedded.helpers import ordinary, said_by


@pytest.mark.parametrize("inside", [".", "deeper"])
def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path, inside: str) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)

    status, said = said_by("run", "--data", str(closed / inside), before=ordinary(tmp_path))

    assert status == 1
    assert said == (
        f"the data folder {closed / inside} cannot be used: Permission denied. "
        "Mend that, or set AUTHBUS_DATA to another folder\n"
    )


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    monkeypatch.setenv("AUTHBUS_CACHE", str(closed))

    status, said = said_by("warm", before=ordinary(tmp_path))

    assert status == 1
    assert said == (
        f"the cache {closed} cannot be used: Permission denied. "
        "Mend that, or set AUTHBUS_CACHE to another folder\n"
    )


def test_a_cache_that_can_no_longer_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHBUS_CACHE", str(tmp_path))
    kafka_home.find().folder.mkdir(mode=0o500)

    status, said = said_by("warm", before=ordinary(tmp_path))

    assert status == 1
    assert f"the cache {tmp_path} cannot be used: Permission denied. " in said
    assert "Traceback" not in said
