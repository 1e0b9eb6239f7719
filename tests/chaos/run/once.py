"""One run from its plan to its verdict, and what is kept of it in a folder."""

import asyncio
import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from tests.chaos.checker.check import check
from tests.chaos.checker.history import History
from tests.chaos.run.page import page
from tests.chaos.run.report import report, verdict
from tests.chaos.run.running import run
from tests.chaos.run.runs import Plan

_REPORTS = Path("build/chaos")
_REPORT, _PAGE, _HISTORY, _LOGS = "report.json", "report.md", "history.json", "service*.log"


def kept(plan: Plan) -> Path:
    """The folder of the runs from this seed; the last one is there."""
    return _REPORTS / f"seed-{plan.seed}"


def judged(plan: Plan) -> dict[str, Any]:
    """Run, judge, and keep the report, its page, the logs, and the history of what is not green."""
    folder = _emptied(kept(plan))
    with tempfile.TemporaryDirectory(prefix="chaos-") as servers:
        Path(servers).chmod(0o711)
        try:
            made = asyncio.run(run(plan, Path(servers)))
        finally:
            for each in Path(servers).glob(_LOGS):
                shutil.copy(each, folder)
    told = report(made, check(made.history))
    (folder / _REPORT).write_text(json.dumps(told, indent=1), encoding="utf-8")
    (folder / _PAGE).write_text(page(told), encoding="utf-8")
    if told["verdict"] != "green":
        write(made.history, folder / _HISTORY)
    return told


def judged_again(folder: Path) -> dict[str, Any]:
    """Judge a history that was kept, once a rule that was wrong is right, and write it anew."""
    told: dict[str, Any] = json.loads((folder / _REPORT).read_bytes())
    findings = check(read(folder / _HISTORY))
    told["violations"] = [str(each) for each in findings]
    told["verdict"] = verdict(told)
    (folder / _REPORT).write_text(json.dumps(told, indent=1), encoding="utf-8")
    (folder / _PAGE).write_text(page(told), encoding="utf-8")
    return told


def _emptied(folder: Path) -> Path:
    """Nothing in it is of another run."""
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in (_REPORT, _PAGE, _HISTORY, _LOGS):
        for each in folder.glob(pattern):
            each.unlink()
    return folder


def write(history: History, to: Path) -> None:
    """The whole history; bytes and places as text."""
    told = asdict(history)
    for state in (replay[when] for replay in told["replays"] for when in ("before", "after")):
        state["events"] = {f"{name}/{n}": count for (name, n), count in state["events"].items()}
    to.write_text(json.dumps(told, default=_plain), encoding="utf-8")


def read(kept: Path) -> History:
    """The same again. Bytes that are no text have lost what they were, and hold no secret."""
    told = json.loads(kept.read_bytes())
    for state in (replay[when] for replay in told["replays"] for when in ("before", "after")):
        places = ((*at.rpartition("/")[::2], count) for at, count in state["events"].items())
        state["events"] = {(name, int(n)): count for name, n, count in places}
    return TypeAdapter(History).validate_python(told)


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
