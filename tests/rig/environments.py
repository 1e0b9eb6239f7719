"""Environments that hold a wheel of ours and what it needs, and nothing else."""

import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path


def build(source: Path, folder: Path) -> Path:
    """The wheel of a distribution, built without a network."""
    before = set(folder.glob("*.whl"))
    command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (made,) = set(folder.glob("*.whl")) - before
    return made


def site_packages(environment: Path) -> Path:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return environment / "lib" / version / "site-packages"


def new_environment(folder: Path, *wheels: Path) -> Path:
    """Make a virtual environment that holds these wheels and nothing else; return its folder."""
    venv.create(folder, with_pip=False)
    python = str(folder / "bin" / "python")
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps")
    subprocess.run((*pip, *map(str, wheels)), check=True, capture_output=True)
    return folder


def needs(name: str) -> Iterator[str]:
    """The distribution and what it needs, extras left out."""
    yield name
    for requirement in distribution(name).requires or ():
        if "extra ==" not in requirement and "win32" not in requirement:
            yield from needs(re.split(r"[\s<>=!~;\[(]", requirement, maxsplit=1)[0])


def lend(name: str, environment: Path) -> None:
    """Make an installed distribution importable in the other environment too."""
    lent = distribution(name)
    for top in {path.parts[0] for path in lent.files or () if path.parts[0] != ".."}:
        target = site_packages(environment) / top
        if not target.exists() and top != "__pycache__":
            target.symlink_to(Path(str(lent.locate_file(top))))
