"""The commands that events name, read beside them: none is held longer than an event may need it.

A command lies within ten minutes of its id's time, and has no effect past its expiry. Both are
exact, whatever the clocks of brokers and databases say.
"""

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiokafka import TopicPartition

from authbus.envelope import read_headers
from authbus_service.auth import handlers
from authbus_service.auth.request import Request
from authbus_service.consumers.arrival import Arrival, arrival
from authbus_service.consumers.labels import instant, read_labels
from authbus_service.consumers.opening import LONGEST_LIFE, NEAR, Opener
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.core.ids import id_time
from authbus_service.core.security.masters import Masters
from authbus_service.recovery.reading import Reader

_STEP = timedelta(seconds=10)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_BUCKET_SECONDS = 10
_QUESTIONS = frozenset(each.wire_type() for each in handlers.QUESTIONS)


@dataclass(slots=True)
class Commands:
    """Records by the id that their headers claim: more than one may claim the same."""

    opener: Opener
    masters: Masters
    reader: Reader
    by_id: dict[UUID, list[Arrival]] = field(
        default_factory=lambda: defaultdict[UUID, list[Arrival]](list)
    )
    _read_to: dict[TopicPartition, datetime] = field(default_factory=dict[TopicPartition, datetime])
    # The latest of all that claim an id: else a forged header would have the true one let go of.
    _held_to: dict[UUID, int] = field(default_factory=dict[UUID, int])
    _expiring: dict[int, list[UUID]] = field(
        default_factory=lambda: defaultdict[int, list[UUID]](list)
    )

    async def find(self, wanted: Iterable[UUID]) -> None:
        """Read on until these are there, or cannot come any more."""
        times = {each: at for each in wanted if (at := id_time(each)) is not None}
        missing = times.keys() - self.by_id.keys()
        until = max((times[each] for each in missing), default=_LONG_AGO)
        while missing:
            last = max(times[each] for each in missing) + NEAR
            if not await self._read(min(until, last)):
                if until >= last:
                    return
                until += _STEP
            missing -= self.by_id.keys()

    async def read_past(self, claimed: Iterable[UUID]) -> None:
        """Read on until nobody can have sent these ids behind: who claims one may not have it."""
        times = [at for each in claimed if (at := id_time(each)) is not None]
        while times and await self._read(max(times) + NEAR):
            pass

    def that_made(self, event_id: UUID, command_id: UUID) -> tuple[Request, Arrival] | None:
        """The command whose first event has this id, which follows from its content.

        None when it is gone.
        """
        for came in self.by_id.get(command_id, ()):
            try:
                opened = self.opener.open(came, read_labels(came))
            except UnreadableError:
                continue
            if opened.command is None:
                continue
            for master in self.masters.names:
                request = opened.request(self.masters, master)
                if request.derived.event_id(0) == event_id:
                    return request, came
        return None

    def forget(self, before: datetime) -> None:
        """Let go of what had expired by then."""
        bucket = _bucket(before)
        for each in [each for each in self._expiring if each < bucket]:
            for command_id in self._expiring.pop(each):
                if self._held_to.get(command_id, bucket) < bucket:
                    del self._held_to[command_id], self.by_id[command_id]

    async def rest(self, since: datetime) -> AsyncGenerator[list[Arrival]]:
        """What came from this time on, of what is held and all behind it, in the order of times."""
        until, waiting = since, self._drained()
        while waiting or self.reader.left:
            while await self._read(until):
                waiting += self._drained()
            due = [came for came in waiting if since <= came.appended_at <= until]
            waiting = [came for came in waiting if came.appended_at > until]
            yield sorted(due, key=lambda each: (each.appended_at, each.place, each.offset))
            next_ones = [came.appended_at for came in waiting]
            next_ones += [self._read_to[place] for place in self.reader.left]
            until = max(until, min(next_ones, default=until)) + _STEP

    def _drained(self) -> list[Arrival]:
        held = [came for of in self.by_id.values() for came in of]
        self.by_id.clear()
        self._expiring.clear()
        self._held_to.clear()
        return held

    async def _read(self, until: datetime) -> bool:
        """Read a little where not all is known that came until then; returns whether there was."""
        behind = [each for each in self.reader.left if self._read_to.get(each, _LONG_AGO) <= until]
        if not behind:
            return False
        for topic, record in await self.reader.some(behind):
            self._keep(TopicPartition(record.topic, record.partition), arrival(topic, record))
        return True

    def _keep(self, place: TopicPartition, came: Arrival) -> None:
        """Hold what might have had an effect."""
        self._read_to[place] = max(self._read_to.get(place, _LONG_AGO), came.appended_at)
        headers = read_headers(came.headers)
        try:
            claimed = UUID(headers["ce_id"])
        except (KeyError, ValueError):
            return
        issued = id_time(claimed)
        if issued is None or headers.get("ce_type") in _QUESTIONS:
            return
        longest = issued + LONGEST_LIFE
        expires_at = min(instant(headers.get("ce_expirytime")) or longest, longest)
        self.by_id[claimed].append(came)
        bucket = _bucket(expires_at)
        self._held_to[claimed] = max(self._held_to.get(claimed, bucket), bucket)
        self._expiring[bucket].append(claimed)


def _bucket(at: datetime) -> int:
    return int(at.timestamp()) // _BUCKET_SECONDS
