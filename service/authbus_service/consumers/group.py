"""Many commands, one transaction: lock, claim, decide, apply, flush. Nothing else commits effects.

A group that fails is halved until the one that fails stands alone. A COMMIT whose answer was lost
is simply run again: the inbox claim then tells what was done.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from uuid import UUID

from authbus_service.auth import handlers, repository
from authbus_service.auth.cause import Cause
from authbus_service.auth.outcome import Outcome, stored
from authbus_service.auth.private_parts import private_part
from authbus_service.auth.proof import Policy
from authbus_service.auth.rows import Rows
from authbus_service.consumers import auditing, telling
from authbus_service.consumers.job import Decided, Job, queued
from authbus_service.consumers.telling import applied
from authbus_service.core.database import Database
from authbus_service.core.ids import id_time
from authbus_service.core.sets import Writes
from authbus_service.inbox import fence, partitions, writing
from authbus_service.inbox import repository as inbox
from authbus_service.inbox.fence import Place
from authbus_service.outbox import mails
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.repository import Record

FenceBelow = Callable[[Iterable[Job]], Mapping[Place, int]]


@dataclass(frozen=True, slots=True)
class Committed:
    """What a group's transaction did: its commands' answers, and where the fence stands now."""

    answers: Mapping[Job, Decided] = field(default_factory=dict[Job, Decided])
    claimed: Sequence[UUID] = ()
    fence: Mapping[Place, int] = field(default_factory=dict[Place, int])


@dataclass(frozen=True, slots=True)
class Grouping:
    """What a group's transaction needs. `at` takes the place of the database's clock."""

    database: Database
    policy: Policy
    fence_below: FenceBelow
    at: datetime | None = None

    async def together(self, jobs: Sequence[Job], *, wait: bool = False) -> Committed:
        """Commit these commands.

        Those whose user is locked elsewhere are left out, for later, or waited for with `wait`.
        """
        async with self.database.transaction() as db:
            rows, busy = await repository.lock(db, [job.proof for job in jobs], wait=wait)
            ready = [job for job in jobs if not job.proof.users & busy]
            if not ready:
                return Committed()
            at = self.at or await writing.begin(db)
            await repository.claim(db, [(job.request, job.proof) for job in ready], rows, at)
            outcomes, records = self._decided(ready, rows, at)
            kept = [(job, outcomes[job]) for job in ready if _is_kept(job, at)]
            await inbox.claim(db, [_handled(job, outcome, at) for job, outcome in kept])
            records += await auditing.records(db, kept, rows, at)
            letters = chain.from_iterable(queued(job, outcomes[job].mails, at) for job in ready)
            sent = [each for each in letters if each.address and not rows.is_gone(each.user_id)]
            below = self.fence_below(ready)
            writes = Writes()
            outbox.add(writes, records, even_none=rows.hides)
            mails.add(writes, sent, even_none=rows.hides or rows.registers)
            fence.move(writes, below)
            await repository.flush(db, rows, writes)
        answers = {job: Decided(outcome.answer, at) for job, outcome in outcomes.items()}
        return Committed(answers, [job.request.id for job, _ in kept], below)

    def _decided(
        self, ready: Sequence[Job], rows: Rows, at: datetime
    ) -> tuple[dict[Job, Outcome], list[Record]]:
        outcomes: dict[Job, Outcome] = {}
        records: list[Record] = []
        for job in ready:
            if _is_late(job, at):
                outcome = handlers.late(job.proof)
            else:
                outcome = handlers.decide(job.request, job.proof, rows, at, self.policy)
            cause = Cause(job.request, rows, at, job.proof.password_hash)
            told = [
                applied(event, private_part(event, cause), rows, at) for event in outcome.events
            ]
            rows.settle(job.proof.attempt, outcome.settled, at)
            rows.attempts.count(outcome.counted, job.request.id, job.request.expires_at, at)
            rows.attempts.clear(outcome.cleared)
            records += telling.records(job.request.derived, told, at, job.traceparent)
            outcomes[job] = outcome
        return outcomes, records


def _is_late(job: Job, at: datetime) -> bool:
    return at >= job.request.expires_at or not _is_kept(job, at)


def _is_kept(job: Job, at: datetime) -> bool:
    """Whether the inbox has a place for it; what is older is never executed, so it needs none."""
    issued = id_time(job.request.id)
    return issued is not None and issued >= partitions.oldest(at)


def _handled(job: Job, outcome: Outcome, at: datetime) -> inbox.Handled:
    issued = id_time(job.request.id)
    if issued is None:
        raise ValueError("a command id without a time")
    return inbox.Handled(
        time=issued,
        id=job.request.id,
        digest=job.digest,
        content=job.request.derived.content,
        master=job.request.derived.master,
        expires_at=job.request.expires_at,
        handled_at=at,
        outcome=stored(outcome.answer),
    )
