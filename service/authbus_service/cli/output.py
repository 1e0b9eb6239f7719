"""What a command prints: for a person in a terminal, JSON in a pipe."""

import sys
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json


def say(line: str) -> None:
    """Print a line to standard output at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


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
