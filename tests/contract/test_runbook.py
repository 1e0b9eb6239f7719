"""The runbook names commands that the command line has, with options that it takes."""

from typing import Any, cast

import pytest
from typer.main import get_command

from authbus_service.cli.app import app
from tests.rig.runbook import named

AN_ID = "01990000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("arguments", named(), ids=" ".join)
def test_each_command_of_the_runbook_is_one_that_there_is(arguments: list[str]) -> None:
    rest = [AN_ID if each in {"ID", "SESSION_ID"} else each for each in arguments]
    name, command = "authbus", cast("Any", get_command(app))
    context = command.make_context(name, rest[:1], resilient_parsing=True)

    while hasattr(command, "commands"):
        name, command, rest = command.resolve_command(context, rest)

    command.make_context(name, rest, parent=context)
