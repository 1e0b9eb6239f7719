"""Is the service ready, and what does it look like from outside?"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from authbus_service.consumers.service import Consumers
from authbus_service.consumers.subscriber import Intake
from authbus_service.core import clock
from authbus_service.core.database import DATABASE_AWAY, Database
from authbus_service.http import Readiness
from authbus_service.inbox.fence import Place
from authbus_service.outbox import repository as outbox
from authbus_service.relay.state import RelayState
from authbus_service.startup.gauges import silent_seconds

_PROBE_SECONDS = 1.0
_SILENT_SECONDS = 30.0
# More than an ordinary rebalance takes.
_SHUT_SECONDS = 10.0
_STUCK_SECONDS = 60.0
_UNSAID_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Health:
    """Looks at the parts of one process. `runs` tells whether it has started and does not stop."""

    runs: Callable[[], bool]
    database: Database
    consumers: Consumers
    relay: RelayState

    async def __call__(self) -> Readiness:
        """Look at everything; the database has a second to answer."""
        unsaid = await self._unsaid_seconds()
        intakes = self.consumers.intakes
        reasons = [*self._own_reasons(unsaid), *(each for one in intakes for each in _reasons(one))]
        seen = {
            "service": "runs" if self.runs() else "starts or stops",
            "database": "does not answer" if unsaid is None else "answers",
            "relay": {
                "role": "leads" if self.relay.leading else "stands by",
                "lag_seconds": None if unsaid is None else round(unsaid, 3),
            },
            "consumers": {intake.name: _seen(intake) for intake in intakes},
        }
        return Readiness(reasons, seen)

    def _own_reasons(self, unsaid: float | None) -> Iterator[str]:
        if not self.runs():
            yield "the service starts or stops"
        if unsaid is None:
            yield "PostgreSQL does not answer"
        elif unsaid > _UNSAID_SECONDS:
            yield f"the relay is behind: an event has waited for {unsaid:.0f} s"

    async def _unsaid_seconds(self) -> float | None:
        """For how long the outbox's oldest record has waited; None: nobody answers."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS), self.database.reading() as db:
                return await outbox.oldest_age(db)
        except DATABASE_AWAY:
            return None


def _reasons(intake: Intake) -> Iterator[str]:
    member = intake.member()
    if member is None:
        yield f"{intake.name}: no member of its Kafka group"
    elif member.shut_seconds > _SHUT_SECONDS:
        yield f"{intake.name}: the fence has not been known for {member.shut_seconds:.0f} s"
    silent = silent_seconds(intake)
    if silent > _SILENT_SECONDS and not intake.lanes.running:
        yield f"{intake.name}: Kafka has not answered for {silent:.0f} s"
    for record in intake.progress.oldest():
        if record.seconds > _STUCK_SECONDS:
            topic, partition = record.place
            where = f"offset {record.offset} of {topic}/{partition}"
            yield f"{intake.name}: {where} has been unfinished for {record.seconds:.0f} s"


def _seen(intake: Intake) -> dict[str, Any]:
    member = intake.member()
    oldest = min(intake.progress.oldest(), key=attrgetter("appended_at"), default=None)
    return {
        "assignment": None if member is None else _by_topic(member.places),
        "last_poll_seconds": round(silent_seconds(intake), 3),
        "oldest_unfinished": None
        if oldest is None
        else {
            "topic": oldest.place[0],
            "partition": oldest.place[1],
            "offset": oldest.offset,
            "age_seconds": round((clock.now() - oldest.appended_at).total_seconds(), 3),
        },
    }


def _by_topic(places: Sequence[Place]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for topic, partition in places:
        found.setdefault(topic, []).append(partition)
    return found
