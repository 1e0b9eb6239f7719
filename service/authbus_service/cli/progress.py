"""How far a long work is: a bar in a terminal, a line of JSON now and then in a pipe."""

import json
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from authbus_service.cli.output import report
from authbus_service.core.progress import Tell

_EVERY = 1.0


@dataclass(slots=True)
class Rates:
    """How many a second since a step began."""

    now: Callable[[], float] = time.monotonic
    _began: dict[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])

    def rate(self, step: str, done: int) -> float:
        """Of this step; 0 when it has just begun."""
        began, before = self._began.setdefault(step, (self.now(), done))
        passed = self.now() - began
        return (done - before) / passed if passed else 0.0


@contextmanager
def progress() -> Generator[Tell]:
    """What tells how far a work is, on standard error."""
    if not sys.stderr.isatty():
        yield lines(report)
        return
    with _bar() as bar:
        tasks, rates = dict[str, TaskID](), Rates()

        def tell(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=None, rate="")
            rate = f"{rates.rate(step, done):,.0f}/s"
            bar.update(tasks[step], completed=done, total=total, rate=rate)

        yield tell


def lines(say: Callable[[str], None], now: Callable[[], float] = time.monotonic) -> Tell:
    """What says a line of JSON once a second, and at each step's end."""
    rates, said = Rates(now), dict[str, float]()

    def tell(step: str, done: int, total: int | None) -> None:
        rate = rates.rate(step, done)
        if done != total and now() - said.get(step, -_EVERY) < _EVERY:
            return
        said[step] = now()
        say(json.dumps({"step": step, "done": done, "of": total, "per_second": round(rate)}))

    return tell


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
