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
