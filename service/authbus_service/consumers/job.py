"""A command between `prepare` and the commit."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from authbus.envelope import EVENT_SOURCE, JSON_TYPE, cloud_event
from authbus.message import Event, Message
from authbus.topics import EVENTS, Topic
from authbus_service.auth.mails import Mail
from authbus_service.auth.outcome import Answer, Gone
from authbus_service.auth.proof import Proof
from authbus_service.auth.request import Request
from authbus_service.consumers.arrival import Arrival
from authbus_service.inbox.repository import Handled
from authbus_service.outbox.mails import QueuedMail
from authbus_service.outbox.repository import Record


@dataclass(frozen=True, slots=True)
class Decided:
    """The commit went through: this is the answer, given at this time."""

    answer: Answer
    at: datetime


Result = Decided | Handled


@dataclass(slots=True, eq=False)
class Job:
    """One command with its proof. `result` is there once its group has committed."""

    arrival: Arrival
    request: Request
    proof: Proof
    traceparent: str | None
    digest: bytes
    result: "asyncio.Future[Result]" = field(repr=False)
    misses: int = 0


def spoken(
    job: Job, told: Iterable[tuple[Event, Message | Gone | None, Topic | None, str]], at: datetime
) -> list[Record]:
    """The records of a command's events, each with its state record before it.

    So the relay sees by an event that its state is there too, wherever it cuts a batch.
    """
    records: list[Record] = []
    for index, (event, state, topic, key) in enumerate(told):
        if state is not None and topic is not None:
            records.append(_record(job, 2 * index + 1, state, topic, key, at))
        records.append(_record(job, 2 * index, event, EVENTS, str(event.user_id), at))
    return records


def queued(job: Job, mails: Iterable[Mail], at: datetime) -> list[QueuedMail]:
    """The rows of a command's mails."""
    derived = job.request.derived
    return [
        QueuedMail(
            id=derived.mail_id(index),
            template=mail.template,
            user_id=mail.user_id,
            address=mail.address,
            command_id=derived.command_id,
            content=derived.content,
            master=derived.master,
            made_at=at,
            expires_at=at + mail.template.lifetime,
            due_at=at,
        )
        for index, mail in enumerate(mails)
    ]


def _record(
    job: Job, index: int, message: Message | Gone, topic: Topic, key: str, at: datetime
) -> Record:
    record_id = job.request.derived.event_id(index)
    extra = {
        "content-type": JSON_TYPE,
        "ce_causationid": str(job.request.id),
        "traceparent": job.traceparent,
    }
    headers = cloud_event(
        id=record_id,
        type=message.wire_type(),
        source=EVENT_SOURCE,
        time=at,
        subject=key,
        extra=extra,
    )
    return Record(
        id=record_id,
        topic=topic,
        key=key,
        type=message.wire_type(),
        payload=None
        if isinstance(message, Gone)
        else message.model_dump_json(exclude_none=True).encode(),
        headers=headers,
    )
