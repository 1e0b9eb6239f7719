"""What the README says of the code is true."""

import re
from pathlib import Path

import pytest
from typer.models import CommandInfo

from authbus.contract import ROWS
from authbus_service.cli.app import app


@pytest.fixture
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text(encoding="utf-8")


def rows(readme: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without backquotes."""
    section = readme.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [
        [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in lines[2:]
    ]


def test_the_table_of_commands_is_the_contract(readme: str) -> None:
    contract = [
        [
            row.command.__name__,
            row.topic.name(),
            ", ".join(reply.__name__ for reply in row.replies),
            ", ".join(event.__name__ for event in row.events),
        ]
        for row in ROWS
    ]

    assert rows(readme, "The contract") == contract


def test_every_file_that_the_readme_names_is_there(readme: str, repository: Path) -> None:
    named = {
        *re.findall(r"\]\(([^)#:]+)\)", readme),
        *re.findall(r"`((?:schemas|service|deploy)/[^` ]*)`", readme),
    }

    missing = {name for name in named if not (repository / name).exists()}

    assert len(named) > 3
    assert missing == set()


@pytest.mark.parametrize(
    ("file", "some"),
    [
        ("README.md", {"migrate", "serve", "topics check"}),
        ("deploy/runbook.md", {"doctor", "recover", "replay commands", "dead-letters list"}),
    ],
)
def test_every_command_that_is_shown_is_there(file: str, some: set[str], repository: Path) -> None:
    told = (repository / file).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```sh\n(.*?)```", told, re.DOTALL))
    shown = set(re.findall(r"\bauthbus ([a-z-]+(?: [a-z][a-z-]*)?)", code))
    known = {_name(command) for command in app.registered_commands}
    for group in app.registered_groups:
        inside = group.typer_instance.registered_commands if group.typer_instance else ()
        known |= {f"{group.name} {_name(command)}" for command in inside}

    assert some <= shown
    assert shown <= known


def _name(command: CommandInfo) -> str | None:
    return command.name or (command.callback.__name__ if command.callback else None)
