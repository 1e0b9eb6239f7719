"""What a recovery did and what it could not do, user by user."""

import json
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class Report:
    """Counts, and each thing that does not come back with its user. No address, no secret.

    `events_unreadable` are records among the events that are none, the first at `first_unreadable`.
    """

    dry_run: bool
    since: datetime | None = None
    last_event: datetime | None = None
    events_read: int = 0
    events_unreadable: int = 0
    first_unreadable: str | None = None
    events_applied: Counter[str] = field(default_factory=Counter[str])
    commands_opened: int = 0
    passwords_hashed: int = 0
    handled_anew: int = 0
    rows_said_before: int = 0
    keys_found: int = 0
    keys_retired: int = 0
    keys_destroyed: int = 0
    users_erased: int = 0
    sessions_ended: int = 0
    _lost: dict[tuple[UUID, str], str] = field(default_factory=dict[tuple[UUID, str], str])

    def miss(self, user_id: UUID, what: str, why: str) -> None:
        """Something of this user's does not come back."""
        self._lost[user_id, what] = why

    def back(self, user_id: UUID, what: str) -> None:
        """It has come back after all: there is a later one."""
        self._lost.pop((user_id, what), None)

    @property
    def lost(self) -> list[dict[str, str]]:
        """Each thing that does not come back, user by user: what it is and why."""
        return list(self.each_lost())

    def each_lost(self) -> Generator[dict[str, str]]:
        """The same, one by one: there may be some for each user."""
        for key in sorted(self._lost):
            user_id, what = key
            yield {"user_id": str(user_id), "what": what, "why": self._lost[key]}

    def facts(self) -> dict[str, Any]:
        """All else, ready to be written."""
        return {
            "dry_run": self.dry_run,
            "since": self.since and self.since.isoformat(),
            "last_event": self.last_event and self.last_event.isoformat(),
            "events_read": self.events_read,
            "events_unreadable": self.events_unreadable,
            "first_unreadable": self.first_unreadable,
            "events_applied": dict(sorted(self.events_applied.items())),
            "commands_opened": self.commands_opened,
            "passwords_hashed": self.passwords_hashed,
            "handled_anew": self.handled_anew,
            "rows_said_before": self.rows_said_before,
            "keys_found": self.keys_found,
            "keys_retired": self.keys_retired,
            "keys_destroyed": self.keys_destroyed,
            "users_erased": self.users_erased,
            "sessions_ended": self.sessions_ended,
        }

    def pieces(self, line: str = "") -> Generator[str]:
        """All of it as one JSON object, piece by piece; `line` begins each thing that is lost."""
        facts = json.dumps(self.facts(), indent=1 if line else None)
        yield facts.removesuffix("}").rstrip()
        begin = f',{line or " "}"lost": ['
        for each in self.each_lost():
            yield f"{begin}{line}{json.dumps(each)}"
            begin = "," if line else ", "
        yield f"{line}]}}" if begin[-1] != "[" else f"{begin}]}}"
