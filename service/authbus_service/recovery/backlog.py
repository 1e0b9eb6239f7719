"""Commands that came since a time, read once more in its order."""

from collections import deque
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from uuid import UUID

from aiokafka import TopicPartition

from authbus.envelope import read_headers
from authbus.topics import AUDIT, COMMAND_TOPICS, RELAY
from authbus_service.consumers.arrival import Arrival, arrival
from authbus_service.consumers.labels import claimed_id
from authbus_service.inbox.fence import Place
from authbus_service.recovery.reading import Reader, Record, Topics
from authbus_service.relay import manifest

# The relay is so far behind at most, while it runs.
_UNSAID = timedelta(seconds=30)

_by_place = attrgetter("appended_at", "place", "offset")


@dataclass(slots=True)
class Backlog:
    """What came since then, or, with None, all that is still there.

    `committed` is where the service's groups go on: below it all was finished. `last_event` is the
    time of the last effect that was said. `ids` are those that its records claim, `finished_at`
    when the newest that was finished had come, once it is read.
    """

    topics: Topics
    since: datetime | None
    committed: Mapping[Place, int]
    last_event: datetime | None
    ids: set[UUID] = field(default_factory=set[UUID])
    finished_at: datetime | None = None

    async def by_time(self) -> AsyncGenerator[list[Arrival]]:
        """All of it, some at a time."""
        async with self.topics.reader(COMMAND_TOPICS, self.since) as reader:
            async for arrivals in by_time(reader):
                yield arrivals

    async def read(self) -> None:
        """Look at all of it once."""
        async for arrivals in self.by_time():
            self.ids |= {id_ for id_ in map(claimed, arrivals) if id_}
            times = [came.appended_at for came in arrivals if self.is_finished(came)]
            self.finished_at = max([*times, *filter(None, [self.finished_at])], default=None)

    def is_finished(self, came: Arrival) -> bool:
        """Whether the service goes on behind this record."""
        return came.offset < self.committed.get(came.place, 0)

    def is_doubtful(self, came: Arrival) -> bool:
        """Whether it may have been handled, and nothing was said of it.

        What nothing was finished behind, long after the service was last seen at work, waited
        unread: that is the service's.
        """
        worked = max(filter(None, [self.last_event, self.finished_at]), default=None)
        return self.is_finished(came) or (
            worked is not None and came.appended_at <= worked + _UNSAID
        )


def unsaid_since(last: datetime) -> datetime:
    """Since when effects may be unsaid, where the last of which was said is of this time."""
    return last - _UNSAID


async def decided(topics: Topics, since: datetime | None, commands: Collection[UUID]) -> set[UUID]:
    """Those of these commands that were handled since this time, whatever became of them.

    Auditors were told of them, or the relay remembers them. Raises ManifestError.
    """
    found: set[UUID] = set()
    async for batch in topics.batches([AUDIT, RELAY], since):
        for topic, record in batch:
            named = _audited(record) if topic is AUDIT else _remembered(record)
            found.update(id_ for id_ in named if id_ in commands)
    return found


def _audited(record: Record) -> Sequence[UUID]:
    """What names none, or not as we do, is not of a command of ours."""
    named = claimed_id(read_headers(record.headers).get("ce_causationid"))
    return () if named is None else (named,)


def _remembered(record: Record) -> Sequence[UUID]:
    return manifest.read(record).ids if record.key == manifest.KEY else ()


def claimed(came: Arrival) -> UUID | None:
    """The id that a record's headers name; None: none that can be read."""
    return claimed_id(read_headers(came.headers).get("ce_id"))


async def by_time(reader: Reader) -> AsyncGenerator[list[Arrival]]:
    """All records, those of all partitions nearly in the order of their times.

    A new leader's clock may be behind that of the one before.
    """
    held: dict[TopicPartition, deque[Arrival]] = {place: deque() for place in reader.left}
    newest: dict[TopicPartition, datetime] = {}
    while reader.left or any(held.values()):
        bare = [place for place in reader.left if not held[place]]
        if bare:
            for topic, record in await reader.some(bare):
                place, came = TopicPartition(record.topic, record.partition), arrival(topic, record)
                held[place].append(came)
                newest[place] = max(came.appended_at, newest.get(place, came.appended_at))
            continue
        until = min((newest[place] for place in reader.left), default=None)
        due: list[Arrival] = []
        for queue in held.values():
            while queue and (until is None or queue[0].appended_at <= until):
                due.append(queue.popleft())
        yield sorted(due, key=_by_place)
