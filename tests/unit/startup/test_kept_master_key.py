"""The master key of the own servers lies in their data folder."""

from pathlib import Path

import pytest

from authbus_service.core.security.masters import MasterKeyError, Masters
from authbus_service.startup.master_key import kept_master_key


def test_it_is_made_once_and_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    made = kept_master_key(tmp_path / "data")
    names = Masters.read(None, made).names

    again = kept_master_key(tmp_path / "data")

    assert Masters.read(None, again).names == names
    assert again.stat().st_mode & 0o777 == 0o600


def test_a_folder_in_which_none_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(MasterKeyError, match="cannot be used: Not a directory") as caught:
        kept_master_key(tmp_path / "file" / "data")

    assert f"the data folder {tmp_path / 'file' / 'data'} cannot" in str(caught.value)
    assert "AUTHBUS_DATA" in str(caught.value)
