"""Events in the order of their times, over all partitions, each command's together.

So commands can be read beside them, and what is held of both grows with a stretch of time only.
"""

from collections import deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter

from aiokafka import TopicPartition

from authbus_service.core.clock import LONG_AGO
from authbus_service.recovery.events import SaidEvent, said_event
from authbus_service.recovery.reading import Reader

# All that one command caused, in its order.
Caused = list[SaidEvent]

# Transactions that run side by side write their events in between each other, within so long.
_SPREAD = timedelta(seconds=5)
AT_ONCE = 2000


@dataclass(slots=True)
class _Held:
    """What was read of one partition, each event with the newest time so far."""

    newest: datetime = LONG_AGO
    queue: deque[tuple[datetime, SaidEvent]] = field(
        default_factory=deque[tuple[datetime, SaidEvent]]
    )

    def put(self, found: SaidEvent) -> None:
        self.newest = max(self.newest, found.at)
        self.queue.append((self.newest, found))

    def take(self, before: datetime | None) -> list[tuple[datetime, Caused]]:
        """What was before that time, and all else that the same commands caused, by time."""
        groups: dict[object, tuple[datetime, Caused]] = {}
        while self.queue and (before is None or self.queue[0][0] < before):
            at, found = self.queue.popleft()
            groups.setdefault(found.cause, (at, []))[1].append(found)
        if groups and self.queue:
            later = [each for each in self.queue if each[1].cause in groups]
            for each in later:
                groups[each[1].cause][1].append(each[1])
                self.queue.remove(each)
        return list(groups.values())


async def in_time(reader: Reader) -> AsyncGenerator[list[Caused]]:
    """All events command by command, some 2,000 events at once.

    What is no event is passed over: the first look has counted it. Raises UnknownEventError.
    """
    held = {place: _Held() for place in reader.left}
    ready: list[Caused] = []
    while reader.left:
        newest = min(held[place].newest for place in reader.left)
        behind = [place for place in reader.left if held[place].newest == newest]
        for _, record in await reader.some(behind):
            if (told := said_event(record)) is not None:
                held[TopicPartition(record.topic, record.partition)].put(told)
        until = min((held[place].newest for place in reader.left), default=None)
        ready += _taken(held.values(), until and until - _SPREAD)
        while sum(map(len, ready)) >= AT_ONCE:
            batch, ready = _cut(ready)
            yield batch
    while ready:
        batch, ready = _cut(ready)
        yield batch


def _taken(held: Iterable[_Held], before: datetime | None) -> list[Caused]:
    """By time over all partitions: a batch that ran ahead would let go of others' commands."""
    found = [timed for each in held for timed in each.take(before)]
    return [caused for _, caused in sorted(found, key=itemgetter(0))]


def _cut(ready: list[Caused]) -> tuple[list[Caused], list[Caused]]:
    count = 0
    for place, caused in enumerate(ready, 1):
        count += len(caused)
        if count >= AT_ONCE:
            return ready[:place], ready[place:]
    return ready, []
