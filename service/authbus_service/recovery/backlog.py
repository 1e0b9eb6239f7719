"""Commands that came since a time, read once more in its order."""

from collections import deque
from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from aiokafka import TopicPartition

from authbus.envelope import read_headers
from authbus.topics import AUDIT, COMMAND_TOPICS
from authbus_service.consumers.arrival import Arrival, arrival
from authbus_service.consumers.labels import read_labels
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.recovery.reading import Reader, Topics

_by_place = attrgetter("appended_at", "place", "offset")


@dataclass(frozen=True, slots=True)
class Backlog:
    """What came since then, or, with None, all that is still there."""

    topics: Topics
    since: datetime | None

    async def by_time(self) -> AsyncGenerator[list[Arrival]]:
        """All of it, some at a time."""
        async with self.topics.reader(COMMAND_TOPICS, self.since) as reader:
            async for arrivals in _by_time(reader):
                yield arrivals

    async def ids(self) -> set[UUID]:
        """The ids that its records claim."""
        return {id_ async for arrivals in self.by_time() for id_ in map(_claimed, arrivals) if id_}


async def audited(topics: Topics, since: datetime | None, commands: Collection[UUID]) -> set[UUID]:
    """Those of these commands of which auditors were told since this time: they were handled."""
    found: set[UUID] = set()
    async for batch in topics.batches([AUDIT], since):
        named = (read_headers(record.headers).get("ce_causationid") for _, record in batch)
        found |= {id_ for each in named if each and (id_ := UUID(each)) in commands}
    return found


def _claimed(came: Arrival) -> UUID | None:
    try:
        return read_labels(came).id
    except UnreadableError:
        return None


async def _by_time(reader: Reader) -> AsyncGenerator[list[Arrival]]:
    held: dict[TopicPartition, deque[Arrival]] = {place: deque() for place in reader.left}
    while reader.left or any(held.values()):
        bare = [place for place in reader.left if not held[place]]
        if bare:
            for topic, record in await reader.some(bare):
                place = TopicPartition(record.topic, record.partition)
                held[place].append(arrival(topic, record))
            continue
        until = min((held[place][-1].appended_at for place in reader.left), default=None)
        due: list[Arrival] = []
        for queue in held.values():
            while queue and (until is None or queue[0].appended_at <= until):
                due.append(queue.popleft())
        yield sorted(due, key=_by_place)
