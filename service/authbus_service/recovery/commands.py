"""The commands that events name, found again, and those that came after all events."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from authbus.topics import COMMAND_TOPICS
from authbus_service.auth.request import Request
from authbus_service.consumers.arrival import Arrival, arrival
from authbus_service.consumers.labels import read_labels
from authbus_service.consumers.opening import Opener
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.core.security.masters import Masters
from authbus_service.recovery.events import Survey
from authbus_service.recovery.reading import Topics

# A command ends at most all sessions of one user.
_MOST_EVENTS = 1100
# The longest that a command is under way in a service that answers.
_UNDER_WAY = timedelta(seconds=30)


@dataclass(slots=True)
class Commands:
    """Records by the id that their headers claim: more than one may claim the same.

    `late` are those of which nothing was said and that came after the last event, or shortly before
    it, in the order of their times: the last commits may have been lost before they were relayed.
    """

    opener: Opener
    masters: Masters
    by_id: dict[UUID, list[Arrival]] = field(
        default_factory=lambda: defaultdict[UUID, list[Arrival]](list)
    )
    late: list[Arrival] = field(default_factory=list[Arrival])

    async def read(
        self,
        topics: Topics,
        since: datetime | None,
        survey: Survey,
    ) -> None:
        """Keep what events need, and what may have been decided after the last of them."""
        async for batch in topics.batches(COMMAND_TOPICS, since):
            for topic, record in batch:
                self._keep(arrival(topic, record), survey)
        self.late.sort(key=lambda each: (each.appended_at, each.place, each.offset))

    def _keep(self, came: Arrival, survey: Survey) -> None:
        try:
            claimed = read_labels(came).id
        except UnreadableError:
            return
        if claimed in survey.caused:
            self.by_id[claimed].append(came)
        elif claimed not in survey.audited and _may_be_undecided(came, survey.last):
            self.late.append(came)

    def that_made(self, event_id: UUID, command_id: UUID) -> tuple[Request, Arrival] | None:
        """The command whose content this event's id was derived from; None when it is gone."""
        for came in self.by_id.get(command_id, ()):
            try:
                opened = self.opener.open(came, read_labels(came))
            except UnreadableError:
                continue
            if opened.command is None:
                continue
            for master in self.masters.names:
                request = opened.request(self.masters, master)
                if _made(request, event_id):
                    return request, came
        return None


def _may_be_undecided(came: Arrival, last: datetime | None) -> bool:
    """A command that was under way when the last event was said may have been decided after it."""
    return last is None or came.appended_at > last - _UNDER_WAY


def _made(request: Request, event_id: UUID) -> bool:
    return any(request.derived.event_id(2 * place) == event_id for place in range(_MOST_EVENTS))
