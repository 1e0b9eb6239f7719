"""The commands of the runbook, to be run as they stand there."""

import re
import shlex
from pathlib import Path

_RUNBOOK = Path(__file__).resolve().parents[2] / "deploy" / "runbook.md"


def commands(heading: str) -> list[list[str]]:
    """The `authbus` commands under a heading, each as its arguments, comments left out."""
    section = _RUNBOOK.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    shown = re.findall(r"```sh\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    lines = [line.strip() for block in shown for line in block.splitlines()]
    found = [shlex.split(line, comments=True) for line in lines]
    return [each[1:] for each in found if each[:1] == ["authbus"]]


def named() -> list[list[str]]:
    """Every `authbus` command that the runbook names anywhere, each once, as its arguments."""
    text = _RUNBOOK.read_text(encoding="utf-8")
    lines = re.findall(r"^ *(authbus [a-z].*)|`(authbus [^`]+)`", text, re.MULTILINE)
    found = [tuple(shlex.split("".join(line), comments=True)[1:]) for line in lines]
    return [list(each) for each in dict.fromkeys(found)]
