"""The cache is filled from any mirror, checked against the lock, whole or not at all."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from authbus_service.embedded import DownloadError, jars, kafka_home, ports, warm
from tests.integration.embedded.helpers import MODULE, said_by
from tests.integration.embedded.mirror import mirror_of


@pytest.fixture
def warm_jars() -> Path:
    """The jars of the user's own cache, which is warm."""
    return kafka_home.find().jar_folder


@pytest.fixture
def cold_cache(warm_jars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, in use from here on."""
    monkeypatch.setenv("AUTHBUS_CACHE", str(tmp_path))
    return tmp_path


def test_a_mirror_is_enough_and_the_size_is_said_first(
    warm_jars: Path, cold_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, said = kafka_home.find(), list[str]()
    shutil.copytree(warm_jars, home.jar_folder)
    (home.jar_folder / home.lock.jars[0].file_name).write_bytes(b"cut off")
    incomplete = home.has_jars

    with mirror_of(warm_jars) as address:
        monkeypatch.setenv("AUTHBUS_MAVEN_REPOSITORY", address)
        jars.fetch(home.lock, home.jar_folder, said.append)

    assert not incomplete
    assert home.has_jars
    assert said[0] == "Downloading Apache Kafka 4.3.0: 46 files, 45.0 MB, once"
    assert said[-1] == "  45.0 of 45.0 MB"


def test_a_download_that_is_not_the_locked_file_is_refused_and_nothing_is_kept(
    warm_jars: Path, cold_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    altered = kafka_home.find().lock.jars[-1].file_name

    with mirror_of(warm_jars, altered=altered) as address:
        monkeypatch.setenv("MAVEN_REPOSITORY", address)
        with pytest.raises(DownloadError, match="is not the file that was locked"):
            warm(print)

    assert not kafka_home.find().has_jars
    assert list(cold_cache.rglob("*.jar")) == []


def test_no_network_and_a_cold_cache_is_an_error_that_names_the_mirror_setting(
    cold_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHBUS_MAVEN_REPOSITORY", f"http://127.0.0.1:{ports.free(1)[0]}")

    status, said = said_by("warm")

    assert status == 1
    assert "could not download" in said
    assert "AUTHBUS_MAVEN_REPOSITORY" in said
    assert "Traceback" not in said


def test_what_killed_runs_left_in_the_cache_goes_with_the_next_one_that_makes_something(
    warm_jars: Path, cold_cache: Path
) -> None:
    home = kafka_home.find()
    shutil.copytree(warm_jars.parent, home.folder, copy_function=os.link)
    shutil.rmtree(home.template)
    left = [home.folder / name for name in ("download-x", "format-x", "train-x")]
    for each in left:
        (each / "broker").mkdir(parents=True)
    of_another = cold_cache / "download-x"
    of_another.mkdir()

    warm(print)

    assert [each for each in left if each.exists()] == []
    assert of_another.is_dir()
    assert home.warm


def test_what_another_java_made_goes_once_it_was_not_used_for_a_month(
    warm_jars: Path, cold_cache: Path
) -> None:
    home = kafka_home.find()
    shutil.copytree(warm_jars.parent, home.folder)
    unused = home.folder / "of-another-java.aot"
    unused.touch()
    used, month_ago = home.aot_cache.stat().st_ino, time.time() - 31 * 24 * 3600
    for each in (unused, home.aot_cache):
        os.utime(each, (month_ago, month_ago))

    warm(print)
    shutil.rmtree(home.template)
    warm(print)

    assert not unused.exists()
    assert home.aot_cache.stat().st_ino == used


def test_two_processes_that_warm_the_cache_at_once_do_the_work_once(
    warm_jars: Path, cold_cache: Path
) -> None:
    home = kafka_home.find()
    shutil.copytree(warm_jars.parent, home.folder, copy_function=os.link)
    shutil.rmtree(home.template)

    both = [
        subprocess.Popen([*MODULE, "warm"], stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[1] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert sum("Formatting" in text for text in said) == 1
    assert home.warm
