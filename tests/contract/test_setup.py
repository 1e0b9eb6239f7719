"""`.ci/setup` makes .venv whole, whatever became of the one before it."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

_SETUP = ".ci/setup"
_PROJECT = """
[project]
name = "{name}"
version = "1"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
_BACKEND = """
import pathlib, tomllib, zipfile

def build_editable(folder, config=None, metadata=None):
    name = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]["name"]
    info = f"{name}-1.dist-info/"
    with zipfile.ZipFile(f"{folder}/{name}-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.pth", str(pathlib.Path.cwd()))
        wheel.writestr(info + "METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return f"{name}-1-py3-none-any.whl"
"""
_WHEEL = {
    "tool-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: tool\nVersion: 1\n",
    "tool-1.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
    "tool-1.dist-info/entry_points.txt": "[console_scripts]\ntool = tool:run\n",
    "tool.py": "import sys\ndef run(): print(sys.prefix)\n",
    "tool-1.dist-info/RECORD": "",
}


@pytest.fixture
def clone(tmp_path: Path, repository: Path) -> Path:
    """A project with nothing in it but one tool, and the set-up of this one."""
    wheel = tmp_path / "tool-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        for name, text in _WHEEL.items():
            file.writestr(name, text)
    clone = tmp_path / "service"
    for part in (clone, clone / "schemas"):
        part.mkdir()
        (part / "pyproject.toml").write_text(_PROJECT.format(name=part.name))
        (part / "backend.py").write_text(_BACKEND)
    (clone / ".ci").mkdir()
    shutil.copy(repository / _SETUP, clone / _SETUP)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (clone / "requirements.txt").write_text(f"tool==1 --hash=sha256:{digest}\n")
    (clone / "authbus_service").mkdir()
    (clone / "authbus_service" / "__init__.py").touch()
    (clone / "authbus_service" / "embedded.py").touch()
    return clone


def begin(clone: Path, **variables: str) -> "subprocess.Popen[str]":
    at_hand = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(clone.parent)}
    return subprocess.Popen(
        (str(clone / _SETUP),),
        env={"PATH": os.environ["PATH"], "PYTHON": sys.executable, **at_hand, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def set_up(clone: Path, **variables: str) -> str:
    began = begin(clone, **variables)
    said, _ = began.communicate(timeout=120)
    assert began.returncode == 0, said
    return said


def where_the_tool_runs(clone: Path) -> str:
    tool = (str(clone / ".venv" / "bin" / "tool"),)
    return subprocess.run(tool, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def test_a_package_of_which_ctrl_c_left_a_half_is_installed_by_the_next_set_up(
    clone: Path,
) -> None:
    set_up(clone)
    (info,) = (clone / ".venv").glob("lib/*/site-packages/tool-1.dist-info")
    for left in info.iterdir():
        if left.name != "METADATA":
            left.unlink()
    (info.parent / "tool.py").unlink()
    (clone / ".venv" / "setup-done").unlink()

    set_up(clone)

    assert where_the_tool_runs(clone) == str(clone / ".venv")
    assert "installing" not in set_up(clone)


def test_a_clone_that_was_moved_runs_its_own_programs(clone: Path) -> None:
    set_up(clone)
    moved = clone.rename(clone.with_name("moved"))

    set_up(moved)

    assert where_the_tool_runs(moved) == str(moved / ".venv")


@pytest.mark.parametrize("named", [sys.executable, ""], ids=["named", "found"])
def test_a_python_that_was_taken_away_is_replaced(clone: Path, named: str) -> None:
    set_up(clone)
    (python,) = (clone / ".venv" / "bin").glob("python3")
    (clone / ".venv" / "bin" / "python").unlink()
    (clone / ".venv" / "bin" / "python").symlink_to(clone / "gone")
    python.unlink()
    python.symlink_to(clone / "gone")

    set_up(clone, PYTHON=named, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")

    assert where_the_tool_runs(clone) == str(clone / ".venv")


def test_a_set_up_of_a_new_version_needs_no_other_python_than_the_one_in_use(
    clone: Path, tmp_path: Path
) -> None:
    set_up(clone)
    old = tmp_path / "old"
    old.mkdir()
    for name in ("python3", *(f"python3.{minor}" for minor in range(11, 15))):
        (old / name).write_text("#!/bin/sh\nexit 1\n")
        (old / name).chmod(0o755)
    with (clone / "requirements.txt").open("a") as file:
        file.write("# of a new version\n")

    said = set_up(clone, PYTHON="", PATH=f"{old}:{os.environ['PATH']}")

    assert "installing into .venv" in said


def test_two_set_ups_at_once_do_the_work_once(clone: Path) -> None:
    both = [begin(clone), begin(clone)]
    said = [each.communicate(timeout=120)[0] for each in both]

    assert [each.returncode for each in both] == [0, 0], said
    assert sum("installing into .venv" in text for text in said) == 1
    assert where_the_tool_runs(clone) == str(clone / ".venv")


def test_what_is_set_for_other_work_does_not_reach_the_set_up(clone: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "pip").mkdir(parents=True)
    (other / "pip" / "__init__.py").write_text("raise SystemExit('of other work')")
    places = dict.fromkeys(("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONPATH"), str(other))

    set_up(clone, PIP_USER="1", PIP_REQUIRE_HASHES="1", PYTHONHOME="/nowhere", **places)

    assert where_the_tool_runs(clone) == str(clone / ".venv")
    assert [each.name for each in other.iterdir()] == ["pip"]
