"""The audit: a record for each handled command, written in the transaction of its effect.

A command that the inbox knows is never decided again, so a replay adds none. Of wrong guesses at
one account each minute's first ones have a record each; the others are counted into one more, and
the relay's memory names them, so that whoever recovers a database knows that they were handled.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from authbus import base64url
from authbus.addresses import canonical
from authbus.events import AnyEvent
from authbus.ip_networks import network_of
from authbus.replies import Code, Rejected
from authbus.state import AuditRecord
from authbus.topics import ADMIN, AUDIT, RELAY
from authbus_service.audit import repository as audit
from authbus_service.audit.repository import Failures
from authbus_service.auth import actors
from authbus_service.auth.outcome import Challenged, Outcome
from authbus_service.auth.rows import Rows
from authbus_service.consumers.job import Job
from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.core.security.masters import Masters
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.records import record_of
from authbus_service.outbox.repository import Record

# This many failed guesses of one account, client and minute have a record each.
SHOWN = 5
_DONE = "done"
_HALF = "second_factor_required"
GUESSES = frozenset({Code.INVALID_CREDENTIALS, Code.CODE_INVALID, Code.CHALLENGE_INVALID})
_MINUTE = timedelta(minutes=1)
_AT_ONCE = 1000
_SOURCE_BYTES = 16
_NOT_LET_IN = frozenset({Code.INVALID_TOKEN, Code.FORBIDDEN, Code.EXPIRED})


@dataclass(frozen=True, slots=True)
class _Entry:
    """One command's record, and what counts its failures together with others."""

    job: Job
    record: AuditRecord
    key: bytes | None = field(repr=False)


async def records(
    db: AsyncConnection, handled: Iterable[tuple[Job, Outcome]], rows: Rows, at: datetime
) -> list[Record]:
    """The outbox rows of these commands' records; failed guesses are counted on the way."""
    entries = [_entry(job, outcome, rows, at) for job, outcome in handled]
    minute = at.replace(second=0, microsecond=0)
    failures = _failures(entries, minute)
    seen = Counter(await audit.count(db, failures)) if failures else Counter[bytes]()
    shown: list[Record] = []
    for entry in entries:
        if entry.key is not None:
            seen[entry.key] += 1
            if seen[entry.key] > SHOWN:
                shown.append(_counted_one(entry.job.request.id))
                continue
        request, traceparent = entry.job.request, entry.job.traceparent
        shown.append(
            _row(request.derived.audit_id, entry.record, at, cause=request.id, trace=traceparent)
        )
    return shown


async def close_minutes(database: Database, *, before: datetime) -> int:
    """Write what was only counted in the minutes that began before this; returns how many."""
    told = 0
    while True:
        taken, written = await _close_some(database, before)
        told += written
        if taken < _AT_ONCE:
            return told


async def _close_some(database: Database, before: datetime) -> tuple[int, int]:
    """How many counts were taken, and how many of them were worth a record."""
    async with database.transaction() as db:
        found = await audit.take(db, before=before, limit=_AT_ONCE)
        rows = [
            _row(new_id(), _counted(each), each.minute + _MINUTE)
            for each in found
            if each.failures > SHOWN
        ]
        await outbox.append(db, rows)
    return len(found), len(rows)


def _entry(job: Job, outcome: Outcome, rows: Rows, at: datetime) -> _Entry:
    request, answer = job.request, outcome.answer
    code = answer.code if isinstance(answer, Rejected) else None
    subject = _subject_of(job, outcome.events, rows)
    record = AuditRecord(
        command_id=request.id,
        command=request.command.wire_type(),
        outcome=code or (_HALF if isinstance(answer, Challenged) else _DONE),
        actor=_actor(job, code, subject),
        subject=subject,
        client_id=request.client.id,
        source=_source(request.derived.masters, getattr(request.command, "ip_address", None), at),
    )
    return _Entry(job, record, _key(job, record) if code in GUESSES else None)


def _subject_of(job: Job, events: Sequence[AnyEvent], rows: Rows) -> UUID | None:
    """Whose account the command is about, where it is about one: nobody who was erased meanwhile.

    A user whom this group erases is named: what names them goes with them.
    """
    if events:
        return events[-1].user_id
    asked = getattr(job.request.command, "user_id", None)
    proof = job.proof
    acting = None if proof.acting is None else proof.acting.user_id
    by_admin = job.arrival.topic is ADMIN
    locked = rows.user(proof.user_id) is not None or proof.user_id in rows.users.gone
    found = proof.user_id if locked else None
    return asked or found or proof.about or (None if by_admin else acting)


def _actor(job: Job, code: Code | None, subject: UUID | None) -> str | None:
    """Who is shown to have asked: by a token or proof, else by what was done."""
    proof = job.proof
    if proof.operator is not None:
        return actors.OPERATOR
    if proof.acting is not None:
        is_admin = job.arrival.topic is ADMIN and code not in _NOT_LET_IN
        named = actors.admin if is_admin else actors.user
        return named(proof.acting.user_id)
    if subject is None or code is not None or proof.hidden:
        return None
    return actors.user(subject)


def _source(masters: Masters, address: str | None, at: datetime) -> str | None:
    """An address as an HMAC under the month's key: the same all month, nobody's later."""
    if address is None:
        return None
    secret = masters.derive(f"audit/source/{at:%Y-%m}", network_of(address).encode())
    return base64url.encode(secret[:_SOURCE_BYTES])


def _key(job: Job, record: AuditRecord) -> bytes:
    """What failed guesses are counted by: the command, the client, the account or its address."""
    request = job.request
    address = getattr(request.command, "email", None)
    account = str(record.subject or "") if address is None else canonical(address) or ""
    parts = (record.command, record.outcome, record.client_id, account)
    return request.derived.masters.derive("audit/failures", *(each.encode() for each in parts))


def _failures(entries: Sequence[_Entry], minute: datetime) -> list[Failures]:
    by_key: dict[bytes, Failures] = {}
    counts = Counter(each.key for each in entries)
    for entry in entries:
        if entry.key is not None:
            told = entry.record
            by_key[entry.key] = Failures(
                key=entry.key,
                minute=minute,
                command=told.command,
                outcome=told.outcome,
                client_id=told.client_id,
                user_id=told.subject,
                failures=counts[entry.key],
            )
    return list(by_key.values())


def _counted(failures: Failures) -> AuditRecord:
    return AuditRecord(
        command=failures.command,
        outcome=failures.outcome,
        subject=failures.user_id,
        client_id=failures.client_id,
        count=failures.failures - SHOWN,
    )


def _counted_one(id_: UUID) -> Record:
    """What the relay remembers and tells nobody."""
    return Record(id=id_, topic=RELAY, key=str(id_), type="counted", payload=None, headers=())


def _row(
    id_: UUID,
    record: AuditRecord,
    at: datetime,
    *,
    cause: UUID | None = None,
    trace: str | None = None,
) -> Record:
    key = str(record.subject or record.command_id or id_)
    kind = record.wire_type()
    return record_of(AUDIT, key, kind, record, id_=id_, at=at, cause=cause, traceparent=trace)
