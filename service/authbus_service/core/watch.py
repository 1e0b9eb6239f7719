"""Tells what happens to commands, at the few places where it happens."""

from time import perf_counter
from types import TracebackType
from typing import Literal

from authbus.contract import COMMANDS
from authbus_service.core.meters import Buckets
from authbus_service.core.metrics import Metrics, Stage

DONE = "done"
REPEATED = "repeated"
DEAD = "dead"
UNKNOWN = "unknown"
_TYPES = {name: model.__name__ for name, model in COMMANDS.items()}


class Watch:
    """What one process's handling of commands tells of itself."""

    def __init__(self, metrics: Metrics) -> None:
        """Nothing has happened yet."""
        self.metrics = metrics
        # How often something has failed and is tried again: a sign of life for the watchdog.
        self.tries = 0
        for what in ("command", "group"):
            metrics.retries.begin(what)

    def stage(self, stage: Stage) -> "Timed":
        """A block whose time is a stage of a command."""
        return Timed(self.metrics.stages.of[stage])

    def waited(self, seconds: float) -> None:
        """For so long a command lay on its topic; clocks may differ."""
        self.metrics.stages.of[Stage.WAIT].see(max(0.0, seconds))

    def finished(self, wire_type: str | None, outcome: str) -> None:
        """A command came to its end: DONE, REPEATED, DEAD or the code of its refusal."""
        self.metrics.commands.add(_TYPES.get(wire_type or "", UNKNOWN), outcome)

    def again(self, what: Literal["command", "group"]) -> None:
        """Something failed that passes by itself, and will be tried again."""
        self.tries += 1
        self.metrics.retries.add(what)


class Timed:
    """Sees how long its block takes."""

    __slots__ = ("_began", "_buckets")

    def __init__(self, buckets: Buckets) -> None:
        """The block has not begun."""
        self._buckets = buckets
        self._began = 0.0

    def __enter__(self) -> None:
        """It begins."""
        self._began = perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """It has ended, one way or the other."""
        self._buckets.see(perf_counter() - self._began)
