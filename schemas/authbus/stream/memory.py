"""What has been heard: the last events by id, the last sequence of each user. Both are bounded."""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from authbus.stream.events import Gap, StreamEvent

_USERS = 100_000
_IDS = 10_000


class Memory:
    """Tells duplicates and gaps. A user that was forgotten may begin with any sequence again."""

    def __init__(self, users: int = _USERS, ids: int = _IDS) -> None:
        self._most_users, self._most_ids = users, ids
        self._users: OrderedDict[UUID, tuple[int, int]] = OrderedDict()
        self._ids: OrderedDict[UUID, None] = OrderedDict()

    def has(self, event: StreamEvent) -> bool:
        """Whether this event was heard, or one that came after it."""
        last, _ = self._users.get(event.user_id, (0, 0))
        return event.id in self._ids or event.sequence <= last

    def gap(self, event: StreamEvent) -> Gap | None:
        """What is missing before this event."""
        last, _ = self._users.get(event.user_id, (event.sequence - 1, 0))
        return Gap(last + 1, event.sequence) if event.sequence > last + 1 else None

    def keep_id(self, event: StreamEvent) -> None:
        """Remember that this event was heard."""
        self._ids[event.id] = None
        if len(self._ids) > self._most_ids:
            self._ids.popitem(last=False)

    def keep_sequence(self, event: StreamEvent) -> None:
        """Remember how far its user is."""
        self._users[event.user_id] = event.sequence, event.partition
        self._users.move_to_end(event.user_id)
        if len(self._users) > self._most_users:
            self._users.popitem(last=False)

    def forget(self, partitions: Iterable[int]) -> None:
        """Forget how far the users of these partitions are: somebody else reads on."""
        gone = set(partitions)
        for user_id in [user for user, (_, place) in self._users.items() if place in gone]:
            del self._users[user_id]
