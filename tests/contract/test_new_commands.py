"""What is easily forgotten of a new command: CONTRIBUTING.md goes through it step by step."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import authbus
from authbus.commands import AnyCommand
from authbus.contract import EVENTS, REPLIES, ROWS
from authbus.message import Message
from authbus.testing.answering import HANDLERS

COMMANDS = [row.command for row in ROWS]
MESSAGES = [*COMMANDS, *REPLIES.values(), *EVENTS.values()]
SERVERS = ("tests/integration", "tests/e2e")


def named(folder: Path) -> Iterator[str]:
    """Every name in the code of a folder."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name):
                yield node.id
            elif isinstance(node, ast.Attribute):
                yield node.attr


def missing(there: set[str]) -> list[str]:
    return [command.__name__ for command in COMMANDS if command.__name__ not in there]


def test_the_type_of_any_command_has_each_command_of_the_table() -> None:
    assert {*get_args(AnyCommand)} == {*COMMANDS}


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
def test_each_message_of_the_contract_is_a_public_name(message: type[Message]) -> None:
    assert message.__name__ in authbus.__all__
    assert getattr(authbus, message.__name__) is message


def test_the_client_has_a_call_for_each_command(repository: Path) -> None:
    assert missing({*named(repository / "schemas/authbus/client")}) == []


def test_the_fake_plays_each_command() -> None:
    assert {*HANDLERS} == {*COMMANDS}


def test_each_command_is_asked_of_a_real_service_by_a_test(repository: Path) -> None:
    assert missing({name for each in SERVERS for name in named(repository / each)}) == []


def test_the_changelog_tells_of_each_command(repository: Path) -> None:
    told = (repository / "CHANGELOG.md").read_text(encoding="utf-8")

    assert [each.__name__ for each in COMMANDS if f"`{each.__name__}`" not in told] == []
