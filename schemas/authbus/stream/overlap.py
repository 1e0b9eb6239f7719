"""Where the users that were told and the events behind them say the same."""

from dataclasses import dataclass, field
from uuid import UUID

from authbus.events import UserErased
from authbus.stream.events import StreamEvent


@dataclass(slots=True)
class Overlap:
    """What the states of a partition knew; events before `until` may be in it."""

    until: int
    known: dict[UUID, int] = field(repr=False)
    erased: set[UUID] = field(repr=False)

    def covers(self, event: StreamEvent) -> bool:
        """Whether this event is in a state that was told, or of a user who is gone."""
        if event.user_id in self.erased:
            return event.type != UserErased.wire_type()
        return event.sequence <= self.known.get(event.user_id, 0)
