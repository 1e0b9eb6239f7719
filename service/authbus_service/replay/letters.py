"""The dead letters that are still open: read, filtered, counted by reason, and closed.

Nothing on the topic is changed or deleted. A letter is closed by a record behind it with its key.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer
from pydantic import ValidationError

from authbus.envelope import own_headers, read_headers
from authbus.kafka.stopping import stop
from authbus.state import Closing, DeadLetter, DeadLetterClosed, DeadLetterReason
from authbus.topics import DEAD_LETTERS
from authbus_service.cluster import Admin
from authbus_service.cluster.patience import patience
from authbus_service.core import clock
from authbus_service.core.ids import new_id
from authbus_service.reading.ranges import partitions_of, read, reader, spans
from authbus_service.reading.records import Record

# The service's own fault: the same record may be handled now.
OURS = frozenset({DeadLetterReason.FAILED, DeadLetterReason.UNKNOWN_KEY})
# A letter that was closed: its id, and the key that both have.
Closed = tuple[UUID, bytes]


@dataclass(frozen=True, slots=True)
class Open:
    """An open dead letter; `id` names it, `key` is its record's."""

    id: UUID
    key: bytes = field(repr=False)
    letter: DeadLetter

    @property
    def can_be_redriven(self) -> bool:
        """Whether it is the service's fault, not the record's."""
        return self.letter.reason in OURS

    def row(self) -> dict[str, Any]:
        """It in a list."""
        letter = self.letter
        return {
            "id": str(self.id),
            "reason": letter.reason,
            "topic": letter.topic,
            "partition": letter.partition,
            "offset": letter.offset,
            "appended_at": letter.appended_at,
            "size": letter.size,
            "can_be_redriven": self.can_be_redriven,
        }


@dataclass(frozen=True, slots=True)
class Which:
    """A filter; what is empty or None lets all through. `topic` has no namespace in front."""

    ids: Collection[UUID] = ()
    reasons: Collection[str] = ()
    topic: str | None = None
    since: datetime | None = None

    def __call__(self, each: Open) -> bool:
        """Whether this letter is asked for."""
        letter = each.letter
        return (
            (not self.ids or each.id in self.ids)
            and (not self.reasons or letter.reason in self.reasons)
            and (self.topic is None or letter.topic == self.topic)
            and (self.since is None or letter.appended_at >= self.since)
        )


def by_reason(letters: Iterable[Open]) -> list[dict[str, Any]]:
    """A row for each reason, the most frequent first."""
    groups: dict[str, list[Open]] = {}
    for each in letters:
        groups.setdefault(each.letter.reason, []).append(each)
    rows = [
        {
            "reason": reason,
            "count": len(of),
            "oldest": min(each.letter.appended_at for each in of),
            "newest": max(each.letter.appended_at for each in of),
            "can_be_redriven": of[0].can_be_redriven,
        }
        for reason, of in groups.items()
    ]
    return sorted(rows, key=lambda row: (-int(row["count"]), row["reason"]))


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The dead letters of one namespace."""

    admin: Admin
    namespace: str

    async def open_ones(self, which: Which) -> list[Open]:
        """Those that nobody has closed, the oldest first."""
        found, closed = dict[UUID, Open](), set[Closed]()
        places = await partitions_of(self.admin, DEAD_LETTERS.name(self.namespace))
        async with reader(self.admin) as consumer:
            stretches = await spans(consumer, places, None, None)
            async for records in read(consumer, stretches):
                for each in records:
                    _take(each, found, closed)
        chosen = filter(which, found.values())
        return sorted(chosen, key=lambda each: (each.letter.appended_at, each.id))

    async def close(self, letters: Iterable[tuple[Open, Closing, str | None]]) -> None:
        """Say of each that it is closed, why, and with which outcome. Raises KafkaError."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.admin.servers,
            acks="all",
            enable_idempotence=True,
            **self.admin.security,
        )
        try:
            async with patience():
                await producer.start()
            for each, how, outcome in letters:
                async with patience():
                    await self._say(producer, each, how, outcome)
        finally:
            await stop(producer)

    async def _say(
        self, producer: AIOKafkaProducer, each: Open, how: Closing, outcome: str | None
    ) -> None:
        told = DeadLetterClosed(letter_id=each.id, how=how, outcome=outcome)
        subject = each.key.decode(errors="replace")
        headers = own_headers(told.wire_type(), id=new_id(), time=clock.now(), subject=subject)
        await producer.send_and_wait(
            DEAD_LETTERS.name(self.namespace),
            told.to_bytes(),
            key=each.key,
            headers=headers,  # pyright: ignore[reportArgumentType] - theirs is invariant
        )


def _take(record: Record, found: dict[UUID, Open], closed: set[Closed]) -> None:
    """A letter is open from here on, or closed; what is neither is passed over.

    Where the topic got more partitions, a closing may lie on another one, and be read first.
    """
    headers, key = read_headers(record.headers), record.key or b""
    try:
        match headers.get("ce_type"):
            case kind if kind == DeadLetter.wire_type():
                letter = DeadLetter.model_validate_json(record.value or b"")
                id_ = UUID(headers.get("ce_id"))
                if (id_, key) not in closed:
                    found[id_] = Open(id_, key, letter)
            case kind if kind == DeadLetterClosed.wire_type():
                told = DeadLetterClosed.model_validate_json(record.value or b"")
                known = found.get(told.letter_id)
                if known is None:
                    closed.add((told.letter_id, key))
                elif known.key == key:
                    del found[told.letter_id]
            case _:
                pass
    except (TypeError, ValueError, ValidationError):
        return
