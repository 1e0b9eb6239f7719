"""What Kafka is told of how far a group has come."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from authbus_service.inbox.fence import Place

_KAFKA_SECONDS = 5.0
# For this long a commit that had no answer may still arrive, and set back a newer one.
_LATE_SECONDS = 15.0

Commit = Callable[[Mapping[Place, int]], Awaitable[None]]


class Committing:
    """Commits what has moved; for a while after one whose end is unknown, all of it each time."""

    def __init__(self) -> None:
        """Nothing has been committed yet."""
        self._known: dict[Place, int] = {}
        self._unsure_until = 0.0

    async def commit(self, safe: Mapping[Place, int], commit: Commit) -> None:
        """Tell Kafka what has moved, forth or back with its log.

        Raises TimeoutError and KafkaError; then nothing counts as told.
        """
        is_unsure = time.monotonic() < self._unsure_until
        moved = {
            place: offset
            for place, offset in safe.items()
            if is_unsure or offset != self._known.get(place)
        }
        if not moved:
            return
        try:
            async with asyncio.timeout(_KAFKA_SECONDS):
                await commit(moved)
        except BaseException:
            self._unsure_until = time.monotonic() + _LATE_SECONDS
            raise
        self._known.update(moved)

    def forget(self, places: Iterable[Place]) -> None:
        """These partitions are somebody else's now."""
        for place in places:
            self._known.pop(place, None)
