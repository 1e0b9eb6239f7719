"""What was said: one event, and what a first look at all of them finds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from authbus.contract import EVENTS
from authbus.envelope import EVENT_SOURCE, read_headers
from authbus.events import AnyEvent, EmailChanged, UserCreated, UserErased
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.labels import claimed_id, instant
from authbus_service.recovery.backlog import unsaid_since
from authbus_service.recovery.reading import Record

_MOVES = (UserCreated, EmailChanged)
# What the service names its events, those too that come with later versions.
_KIND = re.compile(r"authbus\.[A-Za-z0-9]+\.v[0-9]+")


class UnknownEventError(RuntimeError):
    """An event that this version cannot apply: a newer service has said it."""


class MissingEventError(RuntimeError):
    """Events of a user that the database does not know are not on their topic any more."""


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
    """What a first look at the events found.

    `last` is the time of the last effect, `moved` are users who got an address. `said` are those of
    the `waiting` ids, of rows of the outbox, that are on their topic. `came_at` is when the first
    of the commands of the last effects had come: the service may have been far behind. `unreadable`
    counts the records that are no events, `first` is where the earliest of them lies, and its time.
    """

    waiting: frozenset[UUID] = frozenset()
    said: set[UUID] = field(default_factory=set[UUID])
    count: int = 0
    last: datetime | None = None
    erased: set[UUID] = field(default_factory=set[UUID])
    moved: set[UUID] = field(default_factory=set[UUID])
    came_at: datetime | None = None
    unreadable: int = 0
    first: tuple[int, str] | None = None

    def note(self, record: Record) -> None:
        """Look at a record. Raises UnknownEventError."""
        told = said_event(record)
        if told is None:
            place = record.timestamp, _place(record)
            self.unreadable += 1
            self.first = min(place, self.first or place)
            return
        self.count += 1
        self.last = max(self.last or told.at, told.at)
        if isinstance(told.event, UserErased):
            self.erased.add(told.event.user_id)
        elif isinstance(told.event, _MOVES):
            self.moved.add(told.event.user_id)
        self.note_id(told.id)

    def note_id(self, id_: UUID | None) -> None:
        """Look at the id of a record of any kind; None: it has none."""
        if id_ is not None and id_ in self.waiting:
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


def said_event(record: Record) -> SaidEvent | None:
    """The event of a record; None: whoever wrote it, it is none. Raises UnknownEventError."""
    headers = read_headers(record.headers)
    kind, id_ = headers.get("ce_type", ""), claimed_id(headers.get("ce_id"))
    at = instant(headers.get("ce_time"))
    if id_ is None or at is None:
        return None
    model = EVENTS.get(kind)
    if model is None:
        if headers.get("ce_source") != EVENT_SOURCE or not _KIND.fullmatch(kind):
            return None
        raise UnknownEventError(
            f"{kind} at {_place(record)} is not known to this version. "
            "Recover with the version that was running"
        )
    try:
        event = model.model_validate_json(record.value or b"")
    except ValidationError:
        return None
    return SaidEvent(event, id_, at)  # pyright: ignore[reportArgumentType]


def _place(record: Record) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"
