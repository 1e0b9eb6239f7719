"""From outbox rows to Kafka records."""

from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from itertools import chain
from uuid import UUID

from authbus.envelope import own_headers
from authbus.state import DeadLetter, DeadLetterReason
from authbus.topics import DEAD_LETTERS, EVENTS, RELAY, SESSIONS_ENDED, USERS_STATE
from authbus_service.outbox.records import OUTBOX
from authbus_service.outbox.repository import Said, Waiting
from authbus_service.relay.manifest import KEY, manifest
from authbus_service.relay.producer import Outgoing

# Where such a record lies, in the words of a dead letter: its offset is the row's position.
_STATES = {USERS_STATE.suffix, SESSIONS_ENDED.suffix}
_CAUSE = "ce_causationid"

Unit = list[Waiting]


def units(rows: Sequence[Waiting], *, all_read: bool) -> list[Unit]:
    """What must be said in one Kafka transaction: an event with the state that it made before it.

    A command's rows become visible together, its states each before their event, and rows of others
    may lie between. A state whose event has not been read is left for the next batch, unless all
    rows were read. One that nothing caused is told again, by itself, and so is one whose event was
    seen without it (outbox/again.py).
    """
    found: list[Unit] = []
    early: dict[bytes, Unit] = {}
    for row in rows:
        cause = dict(row.headers).get(_CAUSE)
        if row.topic in _STATES and cause is not None:
            early.setdefault(cause, []).append(row)
        elif row.topic == EVENTS.suffix:
            found.append([*early.pop(cause or b"", ()), row])
        else:
            found.append([row])
    left = chain.from_iterable(early.values())
    alone = [[row] for row in left if all_read or row.said.is_said_again]
    return [*alone, *found]


def in_order(together: Iterable[Unit]) -> list[Waiting]:
    """Their rows in the order in which they were written."""
    return sorted(chain.from_iterable(together), key=lambda row: row.said.position)


def outgoing(
    rows: Sequence[Waiting], *, namespace: str, epoch: UUID, unfit: Collection[Said]
) -> list[Outgoing]:
    """The records of these rows and their manifest; nothing for no rows.

    Those of the relay's own topic have none: the manifest names them, and that is all. In place of
    one that is too large for Kafka goes a dead letter with its coordinates.
    """
    if not rows:
        return []
    records = [
        _dead_letter(row, namespace) if row.said in unfit else _record(row, namespace)
        for row in rows
        if row.topic != RELAY.suffix
    ]
    memory = manifest(epoch, [row.said for row in rows])
    return [*records, Outgoing(topic=RELAY.name(namespace), key=KEY, value=memory, partition=0)]


def _record(row: Waiting, namespace: str) -> Outgoing:
    return Outgoing(
        topic=f"{namespace}.{row.topic}",
        key=row.key.encode(),
        value=row.payload,
        headers=row.headers,
    )


def _dead_letter(row: Waiting, namespace: str) -> Outgoing:
    payload = row.payload or b""
    letter = DeadLetter(
        topic=OUTBOX,
        partition=0,
        offset=row.said.first_position,
        appended_at=row.written_at,
        size=len(payload),
        digest=sha256(payload).hexdigest(),
        reason=DeadLetterReason.TOO_LARGE,
    )
    return Outgoing(
        topic=DEAD_LETTERS.name(namespace),
        key=str(row.said.id).encode(),
        value=letter.to_bytes(),
        headers=own_headers(
            letter.wire_type(), id=row.said.id, time=row.written_at, subject=str(row.said.id)
        ),
    )
