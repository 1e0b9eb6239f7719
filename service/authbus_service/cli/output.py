"""What a command prints: for a person in a terminal, JSON in a pipe."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json


def say(line: str) -> None:
    """Print a line to standard output at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say_in_pieces(pieces: Iterable[str]) -> None:
    """Print a line that is too long to be held."""
    sys.stdout.writelines(pieces)
    say("")


def report(line: str) -> None:
    """Tell a person something beside the output."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def to_a_person() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def show(values: Mapping[str, Any]) -> None:
    """Print names and values: a line each in a terminal, one JSON object in a pipe."""
    if not to_a_person():
        say(to_json(values).decode())
        return
    width = max(map(len, values), default=0)
    for name, value in values.items():
        say(f"  {name.replace('_', ' '):{width}}  {value}")


def show_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows of the same names: columns in a terminal, one JSON object a line in a pipe."""
    if not to_a_person():
        for row in rows:
            say(to_json(row).decode())
        return
    lines = [[name.replace("_", " ") for name in row] for row in rows[:1]]
    lines += [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (f"{cell:{width}}" for cell, width in zip(line, widths, strict=True))
        say("  ".join(cells).rstrip())


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return "" if value is None else str(value)
