"""The runbook's commands are there, and a test runs each."""

import ast
import re
import shlex
from pathlib import Path
from typing import Any, cast

import pytest
from typer.main import get_command

from authbus_service.cli.app import app
from tests.rig.runbook import ELSEWHERE, ON_KUBERNETES, OTHERS, commands, named, programs, told

AN_ID = "01990000-0000-7000-8000-000000000000"
PAGE = "deploy/runbook.md"
# What somebody who was woken looks for first.
SECTIONS = {
    "lag grows": "### AuthbusLagGrows",
    "the relay is stuck": "### AuthbusRelayStuck",
    "dead letters": "## Dead letters",
    "a key leaked": "## A key leaked, or is to be replaced",
    "a restore": "## The database is lost, or went back in time",
    "a replay": "## Replay",
    "a broker is lost": "## A broker is lost",
    "a full disk": "## A disk is full",
}


@pytest.mark.parametrize("heading", SECTIONS.values(), ids=SECTIONS)
def test_the_runbook_says_what_is_to_be_done_about_each_of_eight_accidents(
    heading: str, repository: Path
) -> None:
    page = (repository / PAGE).read_text(encoding="utf-8")
    section = re.split(r"\n#{2,3} ", page.partition(f"\n{heading}\n")[2])[0]

    assert "`" in section


@pytest.mark.parametrize("arguments", named(), ids=" ".join)
def test_each_command_of_the_runbook_is_one_that_there_is(arguments: list[str]) -> None:
    rest = [AN_ID if each in {"ID", "SESSION_ID"} else each for each in arguments]
    name, command = "authbus", cast("Any", get_command(app))
    context = command.make_context(name, rest[:1], resilient_parsing=True)

    while hasattr(command, "commands"):
        name, command, rest = command.resolve_command(context, rest)

    command.make_context(name, rest, parent=context)


def test_all_that_the_runbook_says_is_run_by_a_test() -> None:
    """The commands that are in no list are those that integration/cli/test_runbook.py runs."""
    run = ("authbus ", "SELECT ", "curl ")

    others = [each for each in programs() if not each.startswith(run)]
    assert sorted(others) == sorted([*ON_KUBERNETES, *OTHERS])
    assert ELSEWHERE.keys() <= {" ".join(each) for each in named()}


@pytest.mark.parametrize(("command", "test"), ELSEWHERE.items(), ids=ELSEWHERE)
def test_what_is_run_elsewhere_is_run_there(command: str, test: str, repository: Path) -> None:
    file, _, name = test.partition("::")
    source = (repository / file).read_text(encoding="utf-8")
    parsed = ast.walk(ast.parse(source))
    tests = {each.name for each in parsed if isinstance(each, ast.AsyncFunctionDef)}
    read = [
        " ".join(each)
        for heading in re.findall(r'commands\("([^"]+)"\)', source)
        for each in commands(heading)
    ]
    words = [each for each in shlex.split(command) if re.fullmatch(r"[a-z-]+", each)]

    assert name in tests
    assert command in read or all(f'"{each}"' in source for each in words)


@pytest.mark.parametrize(("line", "test"), OTHERS.items(), ids=OTHERS)
def test_what_other_programs_do_is_done_there(line: str, test: str, repository: Path) -> None:
    body = ast.unparse(_body(test, repository))

    script = line.partition(" ")[0]
    made = (repository / "tests/contract/test_make.py").read_text(encoding="utf-8")
    assert f'"{line}"' in made if script == "make" else f"'{script}'" in body


@pytest.mark.parametrize(("line", "test"), ON_KUBERNETES.items(), ids=ON_KUBERNETES)
def test_what_is_said_to_kubernetes_is_said_there_as_it_stands_on_the_page(
    line: str, test: str, repository: Path
) -> None:
    read = [
        told(*(str(word.value) for word in each.args if isinstance(word, ast.Constant)))
        for each in ast.walk(_body(test, repository))
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "told"
    ]

    assert line in read


def test_what_is_run_in_a_pod_is_also_run_without_one() -> None:
    inside = {each.partition(" -- ")[2] for each in ON_KUBERNETES if " -- authbus " in each}

    assert len(inside) == 3
    assert inside <= {*programs()}


def _body(test: str, repository: Path) -> ast.AST:
    file, _, name = test.partition("::")
    source = ast.parse((repository / file).read_text(encoding="utf-8"))
    (found,) = (
        each
        for each in ast.walk(source)
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name == name
    )
    return found
