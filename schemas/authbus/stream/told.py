"""What a view of all users is made of."""

from dataclasses import dataclass

from authbus.state import UserState
from authbus.stream.events import StreamEvent


@dataclass(frozen=True, slots=True)
class SnapshotBegins:
    """The states of all users come next.

    `fresh`: Kafka knows of no earlier beginning of this group, so a view that is kept from one must
    be emptied now. Else users of an earlier beginning are told again, and their erasure will be.
    """

    fresh: bool


@dataclass(frozen=True, slots=True)
class SnapshotEnds:
    """All users are told, so many; events and new states come next."""

    users: int


Told = UserState | StreamEvent | SnapshotBegins | SnapshotEnds
