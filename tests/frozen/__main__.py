"""`make freeze`: keep the records and the spec of this version, as its wheels write them.

Until a version is released, it is made anew with each change that breaks.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

from tests.frozen.kept import HERE
from tests.rig.environments import build

_REPOSITORY = HERE.parents[1]


def main() -> None:
    """Write the folder of this version anew, when all went well."""
    project = tomllib.loads((_REPOSITORY / "schemas" / "pyproject.toml").read_text())["project"]
    kept = HERE / project["version"]
    if f"## [{project['version']}]" in (_REPOSITORY / "CHANGELOG.md").read_text():
        sys.exit(f"{project['version']} is released: what is kept of it stays. Name the next one")
    with tempfile.TemporaryDirectory(prefix="freeze-") as name:
        folder = Path(name)
        site, made = folder / "site", folder / "made"
        for source in (_REPOSITORY, _REPOSITORY / "schemas"):
            zipfile.ZipFile(build(source, folder)).extractall(site)
        paths = {"PYTHONPATH": f"{site}{os.pathsep}{_REPOSITORY}"}
        command = (sys.executable, "-m", "tests.frozen.recording", str(site), str(made))
        subprocess.run(command, env={**os.environ, **paths}, check=True)
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(made, kept)
    print(f"{kept.relative_to(_REPOSITORY)} is made anew")


main()
