"""A command between `prepare` and the commit."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from authbus_service.auth.mails import Mail
from authbus_service.auth.outcome import Answer
from authbus_service.auth.proof import Proof
from authbus_service.auth.request import Request
from authbus_service.consumers.arrival import Arrival
from authbus_service.inbox.repository import Handled
from authbus_service.outbox.mails import QueuedMail


@dataclass(frozen=True, slots=True)
class Decided:
    """The commit went through: this is the answer, given at this time."""

    answer: Answer
    at: datetime


Result = Decided | Handled


@dataclass(slots=True, eq=False)
class Job:
    """One command with its proof. `result` is there once its group has committed.

    `traceparent` goes on into its events; `span` is what its group is linked to, with traces on.
    """

    arrival: Arrival
    request: Request
    proof: Proof
    traceparent: str | None
    digest: bytes
    result: "asyncio.Future[Result]" = field(repr=False)
    misses: int = 0
    span: object = field(default=None, repr=False)


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
