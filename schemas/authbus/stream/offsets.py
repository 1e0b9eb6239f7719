"""Offsets to commit: many at once, because each commit costs a round trip."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from authbus.kafka.following import Record

_LOG = logging.getLogger("authbus")
_EVERY_SECONDS = 0.2
_EVERY_RECORDS = 500
# Below the time that a group gives its members to settle a rebalance.
_COMMIT_SECONDS = 5.0


class Offsets:
    """What is finished and not committed. `mark` tells what is written beside an offset."""

    def __init__(self) -> None:
        self.mark: Callable[[TopicPartition], str] | None = None
        self._next: dict[TopicPartition, int] = {}
        self._count = 0
        self._since = 0.0

    def finish(self, record: Record) -> None:
        """This record and all before it in its partition are done."""
        self.reach(place_of(record), record.offset + 1)

    def reach(self, at: TopicPartition, offset: int) -> None:
        """All before this offset is done."""
        if not self._count:
            self._since = time.monotonic()
        self._count += 1
        self._next[at] = offset

    @property
    def due(self) -> bool:
        """Whether it is time to commit."""
        waited = time.monotonic() - self._since
        return bool(self._count) and (self._count >= _EVERY_RECORDS or waited >= _EVERY_SECONDS)

    async def commit(self, consumer: AIOKafkaConsumer) -> None:
        """Commit. What could not be is tried again with the next; nothing is raised for it."""
        asked = dict(self._next)
        self._count = 0
        if not asked:
            return
        try:
            async with asyncio.timeout(_COMMIT_SECONDS):
                await consumer.commit(self._marked(asked))
        except (KafkaError, TimeoutError) as error:
            _LOG.warning("a commit failed, events may come twice: %r", error)
            return
        self._next = {at: done for at, done in self._next.items() if asked.get(at) != done}

    def _marked(self, asked: dict[TopicPartition, int]) -> dict[TopicPartition, Any]:
        mark = self.mark
        return asked if mark is None else {at: (done, mark(at)) for at, done in asked.items()}

    def forget(self, places: Iterable[TopicPartition]) -> None:
        """These partitions are another member's now."""
        for place in places:
            self._next.pop(place, None)


def place_of(record: Record) -> TopicPartition:
    """Where a record lies."""
    return TopicPartition(record.topic, record.partition)
