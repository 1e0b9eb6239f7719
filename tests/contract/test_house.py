"""The rules of the house that no tool checks."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

LONGEST_MODULE = 250
LONGEST_FUNCTION = 40

TOP_LEVEL = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "deploy",
    "docker-compose.yml",
    "migrations",
    "pyproject.toml",
    "requirements.txt",
    "schemas",
    "service",
    "tests",
}

ELSEWHERE = re.compile(
    rb"(?:pypi|pythonhosted|npmjs|crates|ghcr|quay|docker)\.(?:org|com|io)\b"
    rb"|maven\.(?:apache\.)?org\b"
    rb"|/(?:root|work)/"
)


def tracked(repository: Path) -> list[str]:
    listing = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    done = subprocess.run(listing, cwd=repository, capture_output=True, check=True)
    paths = done.stdout.decode().split("\0")
    return [path for path in paths if path and (repository / path).is_file()]


def modules(repository: Path) -> Iterator[tuple[str, str]]:
    for path in tracked(repository):
        if path.endswith(".py"):
            yield path, (repository / path).read_text(encoding="utf-8")


def functions(source: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_module_is_longer_than_250_lines(repository: Path) -> None:
    lengths = {path: len(source.splitlines()) for path, source in modules(repository)}

    too_long = {path: lines for path, lines in lengths.items() if lines > LONGEST_MODULE}

    assert len(lengths) > 1
    assert too_long == {}


def test_no_function_is_longer_than_40_lines(repository: Path) -> None:
    too_long = {
        f"{path}:{name}": lines
        for path, source in modules(repository)
        for name, lines in functions(source)
        if lines > LONGEST_FUNCTION
    }

    assert too_long == {}


def test_the_size_gate_measures_a_function_from_def_to_its_last_line() -> None:
    source = "@decorated\nasync def one(\n    a: int,\n) -> int:\n    return a\n"

    assert list(functions(source)) == [("one", 4)]


def test_the_top_level_holds_the_fixed_names_and_dotfiles_alone(repository: Path) -> None:
    names = {path.partition("/")[0] for path in tracked(repository)}

    assert {name for name in names if not name.startswith(".")} == TOP_LEVEL


def test_no_file_names_a_package_registry_or_a_path_of_one_machine(repository: Path) -> None:
    found = {
        f"{path}: {hit.group().decode()}"
        for path in tracked(repository)
        for hit in ELSEWHERE.finditer((repository / path).read_bytes())
    }

    assert found == set()


def test_every_pinned_package_has_a_hash(repository: Path) -> None:
    for name in (
        "requirements.txt",
        *(f"deploy/{each}.txt" for each in ("requirements", "tools", "release")),
        "tests/benchmarks/flames.txt",
        "tests/benchmarks/peers/requirements.txt",
    ):
        pins = re.split(
            r"^(?=\S)", (repository / name).read_text(encoding="utf-8"), flags=re.MULTILINE
        )

        loose = [pin for pin in pins if pin and "--hash=sha256:" not in pin]

        assert len(pins) > 1
        assert loose == []
