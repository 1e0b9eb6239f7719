"""The catalogue of all that can go wrong: rejections, the client's errors, exits, refusals."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from typer.main import get_command

from authbus.specification import letters, rejections
from authbus.specification.tables import code, section
from authbus_service.cli.app import app
from authbus_service.cli.pages.refusals import Refusal, refusals
from authbus_service.core.exit_status import MEANINGS, Exit

NAME = "errors.md"
_INTRO = """\
# Errors

Made by `authbus spec` from the code; do not edit. What can go wrong, why, and what helps: answers
to a command, errors of the Python client, how the command line ends, and what it refuses with. What
to do in an emergency, step by step: the runbook (`deploy/runbook.md`).
"""
_ONE = """\
`python -m authbus`, the contract's own commands, ends with 0, 1 and 2 in the same sense.
What 1 says where the command itself has worked:
"""
_REFUSALS = """\
## Refusals

The line `authbus: CAUSE. CURE` on the standard error, when a start or a command is refused or ends
early. `{names}` are filled in; several may stand in one text, those about a topic or a right as
`CAUSE. Mend it: CURE`. `authbus doctor` looks at everything that a start needs, and says the same.
Errors of the Python client (above) come in this way too.
"""
_SETTINGS = """\
A setting that cannot be taken is named with its rule, all of them in one line: `NAME: rule`. One
that does not exist is refused with the nearest name that does. Beside the types and bounds that
`settings.md` has:
"""
_AREAS = {
    "startup": "At the start",
    "core": "Settings, keys, passwords",
    "auth": "Roles",
    "cluster": "Kafka: topics and rights",
    "http": "HTTP",
    "consumers": "The database against Kafka",
    "inbox": "While a recovery runs",
    "relay": "After a recovery",
    "recovery": "authbus recover",
    "reading": "A topic, or a stretch of it",
    "replay": "authbus replay, state",
    "watching": "authbus watch",
    "embedded": "Servers of its own",
    "cli": "Other commands",
    "demo": "authbus demo",
    "by_hand.py": "python -m authbus seal, open",
}
_SAYS_ONE = re.compile(r"\bexit 1 ([^.;]*)", re.IGNORECASE)


def as_markdown() -> str:
    """The whole page."""
    parts = (
        _INTRO,
        rejections.as_markdown(),
        letters.as_markdown(),
        section("Exit status", ("status", "cause", "cure"), map(_exit, Exit)),
        _ONE + "\n" + "".join(f"- {code('authbus ' + name)}: {says}\n" for name, says in exits()),
        _REFUSALS,
        *_areas(refusals()),
    )
    return "\n".join(parts)


def exits() -> Iterator[tuple[str, str]]:
    """The commands whose help speaks of exit 1, with what it says."""
    for name, command in commands():
        options = [getattr(each, "help", None) or "" for each in command.params]
        for text in (command.help or "", *options):
            for found in _SAYS_ONE.findall(text):
                yield name, " ".join(found.split())


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its name, as click has it."""
    return _commands("", get_command(app))


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - click's
    if not hasattr(command, "commands"):
        yield name, command
        return
    for each, below in command.commands.items():
        yield from _commands(f"{name} {each}".strip(), below)


def _exit(status: Exit) -> Sequence[str]:
    return str(int(status)), MEANINGS[status].cause, MEANINGS[status].cure


def _areas(found: Sequence[Refusal]) -> Iterator[str]:
    """A table for each area; KeyError for a folder that is in none."""
    by_area: dict[str, list[Refusal]] = {title: [] for title in _AREAS.values()}
    for each in found:
        by_area[_AREAS[each.where.partition("/")[0]]].append(each)
    for title, inside in by_area.items():
        plain = [each for each in inside if each.kind != "ValueError"]
        rows = dict.fromkeys((_cell(each.cause), _cell(each.cure)) for each in plain)
        yield "#" + section(title, ("cause", "cure"), rows)
        rules = [f"- {_cell(each.cure)}\n" for each in inside if each.kind == "ValueError"]
        if rules:
            yield _SETTINGS + "\n" + "".join(rules)


def _cell(text: str) -> str:
    return re.sub(r"([*<|])", r"\\\1", text)
