"""Commands of which nobody knows whether they were handled, read once more, by time.

Two kinds: what came so late that its events may not have been said, and what lies behind the
offsets up to which all was finished, however long ago it came.
"""

from collections import deque
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from aiokafka import TopicPartition

from authbus.envelope import read_headers
from authbus.topics import AUDIT, COMMAND_TOPICS, Topic
from authbus_service.consumers.arrival import Arrival, arrival
from authbus_service.consumers.labels import read_labels
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.recovery.reading import Place, Reader, Topics

_by_place = attrgetter("appended_at", "place", "offset")


@dataclass(slots=True)
class Backlog:
    """What came since a time, or is not below `finished`. `ends` are where it ended, once read.

    A partition that is not in `finished` has nothing of the second kind.
    """

    topics: Topics
    since: datetime | None
    finished: Mapping[TopicPartition, int]
    ends: Mapping[Place, int] = field(default_factory=dict[Place, int])

    async def by_time(self) -> AsyncGenerator[list[Arrival]]:
        """All of it, some at a time."""
        async with self.topics.reader(COMMAND_TOPICS, self.since, self.finished) as reader:
            self.ends = reader.begun
            async for arrivals in _by_time(reader):
                yield [came for came in arrivals if self._is_of_it(came)]

    async def ids(self) -> set[UUID]:
        """The ids that its records claim."""
        return {id_ async for arrivals in self.by_time() for id_ in map(_claimed, arrivals) if id_}

    def _is_of_it(self, came: Arrival) -> bool:
        if self.since is None or came.appended_at >= self.since:
            return True
        place = TopicPartition(came.topic.name(self.topics.namespace), came.partition)
        below = self.finished.get(place)
        return below is not None and came.offset >= below


async def audited(topics: Topics, since: datetime | None, commands: Collection[UUID]) -> set[UUID]:
    """Those of these commands of which auditors were told since this time: they were handled."""
    found: set[UUID] = set()
    async for batch in topics.batches([AUDIT], since):
        named = (read_headers(record.headers).get("ce_causationid") for _, record in batch)
        found |= {id_ for each in named if each and (id_ := UUID(each)) in commands}
    return found


async def finished(
    topics: Topics, groups: Mapping[str, Iterable[Topic]], fence: Collection[Place]
) -> dict[TopicPartition, int]:
    """The offsets that the groups have committed; a partition without one was never finished.

    Kafka forgets a group that nobody joins for a week: then it has no offset at all, as one that
    has never had any. The database's `fence` tells them apart, where it has one.
    """
    found: dict[TopicPartition, int] = {}
    fenced = {topic for topic, _ in fence}
    for group, of in groups.items():
        mine = list(of)
        committed = await topics.committed(group, mine)
        never = bool(fenced) and not fenced & {topic.suffix for topic in mine}
        if committed or never:
            found |= {place: committed.get(place, 0) for place in topics.places(mine)}
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
