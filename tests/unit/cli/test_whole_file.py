"""A report's file: what was there before stays, whatever the name that is given leads to."""

import os
import threading
from pathlib import Path

import pytest

from authbus_service.cli.whole_file import WholeFile
from authbus_service.core.config import ConfigError


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_what_a_link_leads_to_is_left_as_it_is_until_another_takes_its_place(
    tmp_path: Path,
) -> None:
    kept, link = tmp_path / "kept", tmp_path / "recovery.json"
    kept.mkdir()
    (kept / "report").write_text("first", encoding="utf-8")
    link.symlink_to(kept / "report")
    file = WholeFile(link)

    file.require()
    required = text(link), names(kept)
    file.write(["second"])

    assert required == ("first", ["report"])
    assert {each.name: text(each) for each in kept.iterdir()} == {
        "report": "second",
        "report.1": "first",
    }
    assert link.is_symlink()


def test_a_link_to_nothing_yet_leads_to_the_file(tmp_path: Path) -> None:
    link = tmp_path / "recovery.json"
    link.symlink_to(tmp_path / "later")
    file = WholeFile(link)

    file.require()
    file.write(["first"])

    assert text(tmp_path / "later") == "first"
    assert names(tmp_path) == ["later", "recovery.json"]


def test_a_folder_and_links_in_a_circle_are_refused_before_anything_is_done(tmp_path: Path) -> None:
    folder, circle = tmp_path / "folder", tmp_path / "circle"
    folder.mkdir()
    circle.symlink_to(circle)

    for each in (folder, circle):
        with pytest.raises(ConfigError, match=rf"{each.name} cannot be written.*another file"):
            WholeFile(each).require()

    assert names(tmp_path) == ["circle", "folder"]


def test_whoever_reads_a_pipe_is_given_the_report_alone(tmp_path: Path) -> None:
    pipe, found = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(text(pipe)), daemon=True)
    reader.start()
    file = WholeFile(pipe)

    file.require()
    reader.join(0.2)
    told_at_once = list(found)
    file.write(["first"])

    reader.join(5)
    assert (told_at_once, found) == ([], ["first"])
    assert names(tmp_path) == ["pipe"]


@pytest.mark.parametrize("device", ["/dev/null", "/dev/full"])
def test_a_device_is_written_as_it_is(device: str) -> None:
    file = WholeFile(Path(device))

    file.require()
    if device == "/dev/full":
        with pytest.raises(ConfigError, match="No space left"):
            file.write(["first"])
    else:
        file.write(["first"])

    assert not Path(device).is_file()
