"""An event is applied and told: its record, behind that of the state which it made."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from authbus.contract import STATE
from authbus.events import AnyEvent
from authbus.message import Message
from authbus.state import SessionRevoked
from authbus.topics import EVENTS, USERS_STATE, Topic
from authbus_service.auth import handlers
from authbus_service.auth.outcome import Gone
from authbus_service.auth.private import Private
from authbus_service.auth.request import Derived
from authbus_service.auth.rows import Rows
from authbus_service.outbox.records import record_of
from authbus_service.outbox.repository import Record


@dataclass(frozen=True, slots=True)
class Told:
    """An event and the state record that goes with it, if any."""

    event: AnyEvent
    state: Message | Gone | None

    @property
    def place(self) -> tuple[Topic, str]:
        """The state record's topic and key."""
        if isinstance(self.state, SessionRevoked):
            return STATE[SessionRevoked], str(self.state.session_id)
        return USERS_STATE, str(self.event.user_id)


def applied(event: AnyEvent, private: Private, rows: Rows, at: datetime) -> Told:
    """Change the rows as the event says."""
    return Told(event, handlers.apply(event, private, rows, at))


def records(
    derived: Derived, told: Iterable[Told], at: datetime, traceparent: str | None = None
) -> list[Record]:
    """The records of all events of one cause, each with its state record before it.

    So the relay sees by an event that its state is there too, wherever it cuts a batch.
    """
    found: list[Record] = []
    for index, each in enumerate(told):
        if each.state is not None:
            found.append(_record(derived, 2 * index + 1, each.state, each.place, at, traceparent))
        place = EVENTS, str(each.event.user_id)
        found.append(_record(derived, 2 * index, each.event, place, at, traceparent))
    return found


def _record(
    derived: Derived,
    index: int,
    message: Message | Gone,
    place: tuple[Topic, str],
    at: datetime,
    traceparent: str | None,
) -> Record:
    return record_of(
        *place,
        message.wire_type(),
        None if isinstance(message, Gone) else message,
        id_=derived.event_id(index),
        at=at,
        cause=derived.command_id,
        traceparent=traceparent,
    )
