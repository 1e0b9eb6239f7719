"""What was said: one event, and what a first look at all of them finds."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from authbus.contract import EVENTS
from authbus.envelope import read_headers
from authbus.events import AnyEvent, EmailChanged, UserCreated, UserErased
from authbus_service.consumers.arrival import Arrival
from authbus_service.recovery.backlog import unsaid_since
from authbus_service.recovery.reading import Record

_MOVES = {UserCreated.wire_type(), EmailChanged.wire_type()}
_ERASES = UserErased.wire_type()


class UnknownEventError(RuntimeError):
    """An event that this version cannot apply: a newer service has said it."""


@dataclass(frozen=True, slots=True)
class SaidEvent:
    """One event as it was said; `at` is its effect's time."""

    event: AnyEvent
    id: UUID
    at: datetime

    @property
    def cause(self) -> UUID:
        """The command that caused it, or what stands in a command's place."""
        return self.event.causation_id


@dataclass(slots=True)
class Survey:
    """What a first look at the events found; nothing but their headers is read.

    `last` is the time of the last effect, `moved` are users who got an address. `said` are those of
    the `waiting` ids, of rows of the outbox, that are on their topic. `came_at` is when the first
    of the commands of the last effects had come: the service may have been far behind.
    """

    waiting: frozenset[UUID] = frozenset()
    said: set[UUID] = field(default_factory=set[UUID])
    kinds: Counter[str] = field(default_factory=Counter[str])
    last: datetime | None = None
    erased: set[UUID] = field(default_factory=set[UUID])
    moved: set[UUID] = field(default_factory=set[UUID])
    came_at: datetime | None = None

    def note(self, record: Record) -> None:
        """Look at an event."""
        headers = read_headers(record.headers)
        kind, at = headers["ce_type"], datetime.fromisoformat(headers["ce_time"])
        self.kinds[kind] += 1
        self.last = max(self.last or at, at)
        if kind == _ERASES:
            self.erased.add(UUID(headers["ce_subject"]))
        elif kind in _MOVES:
            self.moved.add(UUID(headers["ce_subject"]))
        self.note_id(headers)

    def note_id(self, headers: Mapping[str, str]) -> None:
        """Look at the id of a record of any kind."""
        if self.waiting and (id_ := UUID(headers["ce_id"])) in self.waiting:
            self.said.add(id_)

    def is_of_last(self, told: SaidEvent) -> bool:
        """Whether it is one of the last effects: others of about its time may be unsaid."""
        return self.last is not None and told.at >= unsaid_since(self.last)

    def note_commands(self, arrivals: Iterable[Arrival]) -> None:
        """These commands had one of the last effects."""
        times = [came.appended_at for came in arrivals]
        self.came_at = min([*times, *filter(None, [self.came_at])], default=None)

    @property
    def unsaid_since(self) -> datetime | None:
        """Since when commands came of whose effects nothing may have been said."""
        times = list(filter(None, [self.last, self.came_at]))
        return unsaid_since(min(times)) if times else None


def said_event(record: Record) -> SaidEvent:
    """The event of a record. Raises UnknownEventError."""
    headers = read_headers(record.headers)
    model = EVENTS.get(headers["ce_type"])
    if model is None:
        raise UnknownEventError(
            f"{headers['ce_type']} at {record.topic}/{record.partition}/{record.offset} is not "
            "known to this version. Recover with the version that was running"
        )
    return SaidEvent(
        event=model.model_validate_json(record.value),  # pyright: ignore[reportArgumentType]
        id=UUID(headers["ce_id"]),
        at=datetime.fromisoformat(headers["ce_time"]),
    )
