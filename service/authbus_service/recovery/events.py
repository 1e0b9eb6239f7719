"""What was said: the events since the database's last moment, and whose commands they need."""

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from authbus.contract import EVENTS
from authbus.envelope import read_headers
from authbus.events import AnyEvent, UserErased
from authbus.state import AuditRecord
from authbus.topics import EVENTS as EVENTS_TOPIC
from authbus_service.recovery.reading import Record, Topics


class UnknownEventError(RuntimeError):
    """An event that this version cannot apply: a newer service has said it."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it was said; `at` is its effect's time, `said_at` the broker's."""

    event: AnyEvent
    id: UUID
    at: datetime
    said_at: datetime


@dataclass(slots=True)
class Survey:
    """What a first look at the events and the audit found.

    `caused` are the commands that caused the events, `audited` those of which the audit tells.
    """

    count: int = 0
    last: datetime | None = None
    erased: dict[UUID, Told] = field(default_factory=dict[UUID, Told])
    users: set[UUID] = field(default_factory=set[UUID])
    caused: set[UUID] = field(default_factory=set[UUID])
    audited: set[UUID] = field(default_factory=set[UUID])
    ids: set[UUID] = field(default_factory=set[UUID])

    def note(self, told: Iterable[Told]) -> None:
        """Look at these events, in their order."""
        for each in told:
            event = each.event
            self.count += 1
            self.ids.add(each.id)
            self.users.add(event.user_id)
            self.caused.add(event.causation_id)
            self.last = max(self.last or each.said_at, each.said_at)
            if isinstance(event, UserErased):
                self.erased[event.user_id] = each

    def note_audit(self, record: Record) -> None:
        """Look at a record of the audit."""
        self.ids.add(UUID(read_headers(record.headers)["ce_id"]))
        told = AuditRecord.model_validate_json(record.value or b"")
        if told.command_id is not None:
            self.audited.add(told.command_id)


async def said(topics: Topics, since: datetime | None) -> AsyncGenerator[list[Told]]:
    """The events since then, each user's in their order, those of one command together.

    Raises UnknownEventError.
    """
    held: dict[int, list[Told]] = {}
    async for batch in topics.batches([EVENTS_TOPIC], since):
        whole: list[Told] = []
        for _, record in batch:
            told, of = _told(record), held.setdefault(record.partition, [])
            if of and of[-1].event.causation_id != told.event.causation_id:
                whole += of
                of.clear()
            of.append(told)
        if whole:
            yield whole
    if held:
        yield [each for of in held.values() for each in of]


def _told(record: Record) -> Told:
    headers = read_headers(record.headers)
    model = EVENTS.get(headers["ce_type"])
    if model is None:
        raise UnknownEventError(
            f"{headers['ce_type']} at {record.topic}/{record.partition}/{record.offset} is not "
            "known to this version. Recover with the version that was running"
        )
    return Told(
        event=model.model_validate_json(record.value),  # pyright: ignore[reportArgumentType]
        id=UUID(headers["ce_id"]),
        at=datetime.fromisoformat(headers["ce_time"]),
        said_at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
    )
