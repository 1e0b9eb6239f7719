"""Programs outside of this repository are type-checked against the installed wheel."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rig.environments import build, lend, needs, new_environment

PROGRAMS = Path(__file__).parent / "programs"
pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def outside(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and all that `authbus[client]` needs."""
    folder = tmp_path_factory.mktemp("outside")
    made = new_environment(folder / "environment", build(repository / "schemas", folder))
    for name in ("pydantic", "aiokafka", "cramjam", "cryptography", "pynacl"):
        for each in set(needs(name)):
            lend(each, made)
    return made


def found(checker: str, folder: Path, environment: Path) -> set[tuple[str, int]]:
    """File and line of each mistake that the checker finds in its strict mode."""
    if checker == "mypy":
        python = str(environment / "bin" / "python")
        strict = ("--strict", "--no-incremental", "--output=json", "--python-executable", python)
        told = run((sys.executable, "-m", "mypy", *strict, "."), folder)
        messages = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
        errors = [each for each in messages if each["severity"] == "error"]
        return {(Path(each["file"]).name, each["line"]) for each in errors}
    settings = {"typeCheckingMode": "strict", "venv": environment.name}
    project = folder / "pyrightconfig.json"
    project.write_text(json.dumps({**settings, "venvPath": str(environment.parent)}))
    told = json.loads(run((sys.executable, "-m", "basedpyright", "--outputjson"), folder))
    assert told["summary"]["filesAnalyzed"] == 2
    errors = [each for each in told["generalDiagnostics"] if each["severity"] == "error"]
    return {(Path(each["file"]).name, each["range"]["start"]["line"] + 1) for each in errors}


def run(command: tuple[str, ...], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout


@pytest.mark.parametrize("checker", ["basedpyright", "mypy"])
def test_a_right_program_has_no_mistake_and_each_one_of_a_wrong_program_is_found(
    checker: str, outside: Path, tmp_path: Path
) -> None:
    shutil.copy(PROGRAMS / "right.py", tmp_path)
    shutil.copy(PROGRAMS / "wrong.txt", tmp_path / "wrong.py")
    lines = (tmp_path / "wrong.py").read_text(encoding="utf-8").splitlines()
    wrong = {("wrong.py", number) for number, line in enumerate(lines, 1) if "# wrong" in line}

    assert len(wrong) > 5
    assert found(checker, tmp_path, outside) == wrong
