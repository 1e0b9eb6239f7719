"""Which commands came lately, when, and which of them are asked for."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

_MOST = 100_000
# As long as an id is: what is longer names no command that anything comes of.
_LONGEST = 36


class Came(NamedTuple):
    """When a command came first, and whether any record of it is asked for."""

    at: datetime
    is_asked_for: bool


@dataclass(slots=True)
class Lately:
    """Remembers the newest commands, for as long as there is room."""

    _came: OrderedDict[str, Came] = field(default_factory=OrderedDict[str, Came])

    def note(self, command_id: str, came: Came) -> None:
        """A record of this command has come."""
        if len(command_id) > _LONGEST:
            return
        first = self._came.get(command_id, came)
        self._came[command_id] = Came(first.at, first.is_asked_for or came.is_asked_for)
        self._came.move_to_end(command_id)
        if len(self._came) > _MOST:
            self._came.popitem(last=False)

    def of(self, command_id: str | None) -> Came | None:
        """What is remembered of it."""
        return self._came.get(command_id or "")
