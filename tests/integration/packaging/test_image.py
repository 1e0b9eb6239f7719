"""What the image is made of is enough: the locked packages and both wheels, and nothing beside."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.rig.environments import build, new_environment

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
# A command imports what it needs when it runs, and no sooner.
IMPORT_ALL = """
from importlib import import_module
from pkgutil import walk_packages
import authbus_service
for each in walk_packages(authbus_service.__path__, "authbus_service."):
    if not each.name.endswith("__main__"):
        print(import_module(each.name).__name__)
"""
LOCKED = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "-r")


# What is locked is fetched at the first time.
@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_the_program_runs_where_its_lock_and_both_wheels_alone_are_installed(
    repository: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    wheels = [build(source, folder) for source in (repository, repository / "schemas")]
    installed = new_environment(tmp_path / "image", *wheels)
    python = installed / "bin" / "python"
    pip = (*PIP, "--python", str(python))
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))

    subprocess.run(
        (*pip, "install", *LOCKED, "deploy/requirements.txt"), cwd=repository, check=True
    )

    assert said(*pip, "check", folder=tmp_path).strip() == "No broken requirements found."
    authbus = str(installed / "bin" / "authbus")
    assert "dead-letters" in said(authbus, "--help", folder=tmp_path)
    assert said(authbus, "version", folder=tmp_path).strip() == project["project"]["version"]
    modules = said(str(python), "-c", IMPORT_ALL, folder=tmp_path).split()
    assert {"authbus_service.main", "authbus_service.core.tracing"} <= set(modules)


def said(*command: str, folder: Path) -> str:
    """What a command prints that has no path of ours and no setting."""
    return subprocess.run(
        command, env={}, cwd=folder, check=True, stdout=subprocess.PIPE, text=True, timeout=60
    ).stdout
