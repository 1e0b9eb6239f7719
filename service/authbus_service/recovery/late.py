"""Commands of which nothing was said are handled anew, each judged by the time at which it came."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select

from authbus.replies import Code, Rejected
from authbus_service.auth import handlers
from authbus_service.auth.proof import Policy, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.users.models import UserRow
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.auditing import subject_of
from authbus_service.consumers.group import Grouping
from authbus_service.consumers.job import Job
from authbus_service.consumers.labels import Labels, read_labels
from authbus_service.consumers.opening import Opener
from authbus_service.consumers.speaker import Speaker
from authbus_service.consumers.transient import is_transient
from authbus_service.consumers.unreadable import Reason, UnreadableError
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.ids import id_time
from authbus_service.core.logging import get_logger
from authbus_service.core.security.masters import Masters
from authbus_service.inbox import partitions
from authbus_service.inbox import repository as inbox
from authbus_service.recovery.guesses import Guesses

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Late:
    """Handles such commands, one after the other. Nobody is answered: who waits asks again.

    `told` are commands of which auditors were told, `guesses` knows which they may have been told
    of by count: those were handled. One that fails, whenever it is tried, is written to the dead
    letters, as it would have been by a service.
    """

    database: Database
    opener: Opener
    masters: Masters
    tools: Tools
    policy: Policy
    told: Collection[UUID]
    guesses: Guesses
    speaker: Speaker

    async def handle(self, arrivals: Sequence[Arrival]) -> int:
        """Returns how many were handled; what cannot be read or asked is passed over.

        So is what is older than the inbox remembers: topics may keep a record for longer.
        """
        named: list[tuple[Arrival, Labels]] = []
        oldest = partitions.oldest(clock.now())
        for came in arrivals:
            with suppress(UnreadableError):
                labels = read_labels(came)
                if (id_time(labels.id) or oldest) >= oldest:
                    named.append((came, labels))
        async with self.database.reading() as db:
            known = await inbox.known(db, {labels.id for _, labels in named})
        done = {*known, *self.told}
        handled = 0
        for came, labels in named:
            if labels.id not in done and await self._one(came, labels):
                done.add(labels.id)
                handled += 1
        return handled

    async def _one(self, came: Arrival, labels: Labels) -> bool:
        try:
            opened = self.opener.open(came, labels)
        except UnreadableError:
            return False
        if opened.refusal is not None or type(opened.command) in handlers.QUESTIONS:
            return False
        try:
            await self._commit(opened.request(self.masters), came, labels)
        except Exception as error:
            if is_transient(error):
                raise
            _log.exception("command failed", place=came.place, offset=came.offset)
            await self.speaker.bury(came, Reason.FAILED, str(labels.id))
            return False
        return True

    async def _commit(self, request: Request, came: Arrival, labels: Labels) -> None:
        with clock.standing_at(came.appended_at):
            proof = await handlers.prepare(request, self.tools)
        job = Job(
            arrival=came,
            request=request,
            proof=proof,
            traceparent=labels.traceparent,
            digest=came.digest,
            result=asyncio.get_running_loop().create_future(),
        )
        if (code := await self._refused_with(job)) is not None:
            job.proof = replace(proof, refusal=Rejected.because(code))
        grouping = Grouping(self.database, self.policy, lambda _: {}, at=came.appended_at)
        await grouping.together([job], wait=True)

    async def _refused_with(self, job: Job) -> Code | None:
        """The code of a command that may be one of many wrong guesses, which auditors only counted.

        What was refused must not be granted now; if it was granted then, somebody logs in once
        more. One that came before its account was there was a guess at nobody's.
        """
        subject = subject_of(job)
        code = self.guesses.refusal(job, subject)
        before = self.guesses.refusal(job, None)
        if code is not None or before is None:
            return code
        async with self.database.reading() as db:
            made_at = await db.scalar(select(UserRow.created_at).where(UserRow.id == subject))
        return before if made_at is not None and made_at > job.arrival.appended_at else None
