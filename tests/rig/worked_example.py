"""The worked example of CONTRIBUTING.md: its steps, the files they change, and what fails without.

A step is a `### 1. ...` with blocks: `New, ` and a path before a whole file, `In ` and a path
before a change. In a change `@@` parts places; each is put where its lines stand.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"
_STEP = re.compile(r"^### \d+\. (.+)\n", re.MULTILINE)
_BLOCK = re.compile(r"^(?:New|In),? `([^`]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CHECK = re.compile(r"`(tests/[\w/]+\.py::\w+)`")
_CODE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Change:
    """What one step does to one file."""

    path: str
    text: str
    is_new: bool

    def made_to(self, source: str) -> str:
        """The file's text with it. Raises ValueError where it does not fit."""
        if self.is_new:
            return self.text
        for place in self.text.split("@@\n"):
            lines = place.splitlines(keepends=True)
            old = "".join(each[1:] or each for each in lines if not each.startswith("+"))
            new = "".join(each[1:] or each for each in lines if not each.startswith("-"))
            if old not in source:
                raise ValueError(f"{self.path} has no such place:\n{old}")
            source = source.replace(old, new, 1)
        return source


@dataclass(frozen=True, slots=True)
class Step:
    """Changes, commands of a shell, and the tests that fail when one of them is forgotten."""

    title: str
    changes: tuple[Change, ...]
    commands: tuple[str, ...]
    checks: tuple[str, ...]


def steps() -> Iterator[Step]:
    """All of them, in order."""
    page = PAGE.read_text(encoding="utf-8")
    _, *parts = _STEP.split(page.partition("\n### What another command may need")[0])
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        changes = [
            Change(path, text, is_new=found.startswith("New"))
            for found, path, text in ((each[0], each[1], each[2]) for each in _BLOCK.finditer(body))
        ]
        commands = [line for code in _CODE.findall(body) for line in code.splitlines()]
        checks = _CHECK.findall(body.rpartition("\nForgotten: ")[2])
        yield Step(title, tuple(changes), tuple(commands), tuple(checks))


def follow(copy: Path) -> dict[str, str | None]:
    """Make all changes in a copy of the repository; returns the texts of before."""
    before: dict[str, str | None] = {}
    for change in (change for step in steps() for change in step.changes):
        file = copy / change.path
        before[change.path] = None if change.is_new else file.read_text(encoding="utf-8")
        file.write_text(change.made_to(before[change.path] or ""), encoding="utf-8")
    return before
