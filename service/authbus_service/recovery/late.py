"""Commands of which nothing was said: nobody knows whether they were handled.

They came after the last event, or so shortly before it that theirs was not said yet. They are
handled anew, each judged by the time at which it came.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from authbus_service.auth import handlers
from authbus_service.auth.proof import Policy, Tools
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.group import Grouping
from authbus_service.consumers.job import Job
from authbus_service.consumers.labels import Labels, read_labels
from authbus_service.consumers.opening import Opener
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.ids import id_time
from authbus_service.core.security.masters import Masters
from authbus_service.inbox import partitions
from authbus_service.inbox import repository as inbox


@dataclass(frozen=True, slots=True)
class Late:
    """Handles such commands, one after the other. Nobody is answered: who waits asks again.

    `told` are commands of which auditors were told: those were handled.
    """

    database: Database
    opener: Opener
    masters: Masters
    tools: Tools
    policy: Policy
    told: Collection[UUID]

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
        request = opened.request(self.masters)
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
        return True
