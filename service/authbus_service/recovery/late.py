"""Commands of which nothing was said are handled anew, each judged by the time at which it came."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from authbus.state import DeadLetterReason
from authbus_service.auth import handlers
from authbus_service.auth.proof import Policy, Tools
from authbus_service.auth.request import Request
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.group import Grouping
from authbus_service.consumers.job import Job
from authbus_service.consumers.labels import Labels, read_labels
from authbus_service.consumers.opening import Opener
from authbus_service.consumers.speaker import Speaker
from authbus_service.consumers.transient import is_transient
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.ids import id_time
from authbus_service.core.logging import get_logger
from authbus_service.core.security.masters import Masters
from authbus_service.inbox import partitions
from authbus_service.inbox import repository as inbox

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Late:
    """Handles such commands, one after the other. Nobody is answered: who waits asks again.

    `done` are commands that are known to have been handled. One that fails, whenever it is tried,
    is written to the dead letters, as it would have been by a service.
    """

    database: Database
    opener: Opener
    masters: Masters
    tools: Tools
    policy: Policy
    done: Collection[UUID]
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
        done = {*known, *self.done}
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
            await self.speaker.bury(came, DeadLetterReason.FAILED, str(labels.id))
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
        grouping = Grouping(self.database, self.policy, lambda _: {}, at=came.appended_at)
        await grouping.together([job], wait=True)
