"""Tells what happens to commands, at the few places where it happens: metrics, and traces if on."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from types import TracebackType
from typing import Literal, Protocol

from authbus.contract import COMMANDS
from authbus_service.core.meters import Buckets
from authbus_service.core.metrics import Metrics, Stage

DONE = "done"
REPEATED = "repeated"
DEAD = "dead"
UNKNOWN = "unknown"
_TYPES = {name: model.__name__ for name, model in COMMANDS.items()}


@dataclass(frozen=True, slots=True)
class About:
    """A record in a trace. `topic` is its whole name, `traceparent` its cause's, if known."""

    topic: str
    id: str
    type: str
    traceparent: str | None
    partition: int = 0
    offset: int = 0


class Spans(Protocol):
    """What makes spans, where traces are on; see tracing.Traces. What begins is current."""

    def process(self, about: About) -> object: ...
    def begin(self, stage: str) -> object: ...
    def group(self, writer: str, spans: Sequence[object]) -> AbstractContextManager[None]: ...
    def end(self, begun: object, error: BaseException | None) -> None: ...
    def note(self, outcome: str) -> None: ...
    def current(self) -> object | None: ...
    def traceparent(self) -> str | None: ...


class Watch:
    """What one process's handling of commands tells of itself."""

    def __init__(self, metrics: Metrics, spans: Spans | None = None) -> None:
        """Nothing has happened yet. Without `spans` nothing of them is paid for."""
        self.metrics = metrics
        self.spans = spans
        # How often something has failed and is tried again: a sign of life for the watchdog.
        self.tries = 0
        for what in ("command", "group"):
            metrics.retries.begin(what)

    def command(self, about: Callable[[], About]) -> "Timed":
        """A block that handles a command, from its being taken up to its end."""
        buckets, spans = self.metrics.stages.of[Stage.HANDLED], self.spans
        if spans is None:
            return Timed(buckets)
        return Timed(buckets, spans, lambda: spans.process(about()))

    def stage(self, stage: Stage) -> "Timed":
        """A block whose time is a stage of a command."""
        buckets, spans = self.metrics.stages.of[stage], self.spans
        return (
            Timed(buckets) if spans is None else Timed(buckets, spans, partial(spans.begin, stage))
        )

    def group(
        self, writer: str, spans_of: Callable[[], Sequence[object]]
    ) -> AbstractContextManager[None]:
        """A block that commits many commands; their spans and the group's are linked."""
        return nullcontext() if self.spans is None else self.spans.group(writer, spans_of())

    def waited(self, seconds: float) -> None:
        """How long a command lay on its topic; clocks may differ."""
        self.metrics.stages.of[Stage.WAIT].see(max(0.0, seconds))

    def finished(self, wire_type: str | None, outcome: str) -> None:
        """A command came to its end: DONE, REPEATED, DEAD or the code of its refusal."""
        self.metrics.commands.add(type_of(wire_type), outcome)
        if self.spans is not None:
            self.spans.note(outcome)

    def again(self, what: Literal["command", "group"]) -> None:
        """Something failed that passes by itself, and will be tried again."""
        self.tries += 1
        self.metrics.retries.add(what)

    def traceparent(self, cause: str | None) -> str | None:
        """What goes on into events: what is current here, or else what caused it elsewhere."""
        return cause if self.spans is None else self.spans.traceparent() or cause

    def current(self) -> object | None:
        """The span that is current, to be linked to."""
        return None if self.spans is None else self.spans.current()


class Timed:
    """Sees how long its block takes; with spans it is one."""

    __slots__ = ("_began", "_begin", "_begun", "_buckets", "_spans")

    def __init__(
        self,
        buckets: Buckets,
        spans: Spans | None = None,
        begin: Callable[[], object] | None = None,
    ) -> None:
        """The block has not begun."""
        self._buckets, self._spans, self._begin = buckets, spans, begin
        self._began = 0.0
        self._begun: object = None

    def __enter__(self) -> None:
        """It begins."""
        self._began = perf_counter()
        if self._begin is not None:
            self._begun = self._begin()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """It has ended, one way or the other."""
        self._buckets.see(perf_counter() - self._began)
        if self._spans is not None:
            self._spans.end(self._begun, error)


def type_of(wire_type: str | None) -> str:
    """A command's name as a label or an attribute; one of ours, or UNKNOWN."""
    return _TYPES.get(wire_type or "", UNKNOWN)
