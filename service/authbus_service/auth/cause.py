"""Why an event is: what its private part is made from."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from authbus.message import Command
from authbus_service.auth.request import Derived, Request
from authbus_service.auth.rows import Rows

C = TypeVar("C", bound=Command)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an event is: the command, the rows before the event, and the time of its effect.

    `password_hash` is that of the password which the command sets. One that comes with a log-in is
    of the same password under newer parameters; a recovery keeps the hash that its user had.
    """

    request: Request
    rows: Rows
    at: datetime
    password_hash: str = field(default="", repr=False)

    @property
    def derived(self) -> Derived:
        """What follows from the command alone."""
        return self.request.derived

    def command(self, kind: type[C]) -> C:
        """The command, which must be of this kind. Raises TypeError."""
        found = self.request.command
        if not isinstance(found, kind):
            raise TypeError(f"{type(found).__name__} is no {kind.__name__}")
        return found
