"""The commands that events name, read beside them: none is held longer than an event may need it.

A command lies within ten minutes of its id's time, and has no effect past its expiry. Both are
exact, whatever the clocks of brokers and databases say.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from aiokafka import TopicPartition

from authbus.envelope import LONGEST_LIFE
from authbus.sealing import LARGEST_SEAL
from authbus_service.auth import handlers
from authbus_service.auth.request import Request
from authbus_service.consumers.arrival import Arrival, arrival
from authbus_service.consumers.labels import read_labels, with_labels_alone
from authbus_service.consumers.opening import NEAR, Opener
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.core.clock import LONG_AGO
from authbus_service.core.ids import id_time
from authbus_service.core.security.masters import Masters
from authbus_service.recovery.backlog import by_time, claimed
from authbus_service.recovery.reading import Reader
from authbus_service.recovery.unsealing import Unsealer

_STEP = timedelta(seconds=10)
_BUCKET_SECONDS = 10
# So many are read before others have their turn: the batch before is being written.
_IN_A_ROW = 20
_QUESTIONS = frozenset(each.wire_type() for each in handlers.QUESTIONS)


@dataclass(slots=True)
class Commands:
    """Records by the id that their headers claim: more than one may claim the same.

    `reader` began at `since`; `from_time` makes one that begins elsewhere.
    """

    opener: Opener
    unsealer: Unsealer
    masters: Masters
    reader: Reader
    since: datetime | None
    from_time: Callable[[datetime], AbstractAsyncContextManager[Reader]]
    by_id: dict[UUID, list[Arrival]] = field(
        default_factory=lambda: defaultdict[UUID, list[Arrival]](list)
    )
    _read_to: dict[TopicPartition, datetime] = field(default_factory=dict[TopicPartition, datetime])
    # The latest of all that claim an id: else a forged header would have the true one let go of.
    _held_to: dict[UUID, int] = field(default_factory=dict[UUID, int])
    _forgotten_to: datetime = LONG_AGO
    _expiring: dict[int, list[UUID]] = field(
        default_factory=lambda: defaultdict[int, list[UUID]](list)
    )

    async def find(self, wanted: Iterable[UUID]) -> None:
        """Read on until these are there, or cannot come any more."""
        times = {each: at for each in wanted if (at := id_time(each)) is not None}
        missing = times.keys() - self.by_id.keys()
        until = max((times[each] for each in missing), default=LONG_AGO)
        while missing:
            last = max(times[each] for each in missing) + NEAR
            if not await self._read(min(until, last)):
                if until >= last:
                    return
                until += _STEP
            missing -= self.by_id.keys()

    async def read_past(self, ids: Iterable[UUID]) -> None:
        """Read on until nobody can have sent these ids behind: who claims one may not have it."""
        times = [at for each in ids if (at := id_time(each)) is not None]
        while times and await self._read(max(times) + NEAR):
            pass

    async def that_made(self, wanted: Mapping[UUID, UUID]) -> dict[UUID, tuple[Request, Arrival]]:
        """Those of these commands (id -> their first event's id) that are known so far.

        The event's id follows from the command's content, so no other may claim to be it.
        """
        made: dict[UUID, tuple[Request, Arrival]] = {}
        claims = [(each, came) for each in wanted for came in self.by_id.get(each, ())]
        payloads = self.unsealer.opened(came.value for _, came in claims)
        async with aclosing(payloads):
            for turn, (id_, came) in enumerate(claims):
                if turn % _IN_A_ROW == 0:
                    await asyncio.sleep(0)
                payload = await anext(payloads)
                if payload is None or id_ in made:
                    continue
                if (request := self._read_as(payload, came, wanted[id_])) is not None:
                    made[id_] = request, came
        return made

    def _read_as(self, payload: bytes, came: Arrival, event_id: UUID) -> Request | None:
        """The command that this is, when it made the event."""
        try:
            opened = self.opener.read(came, read_labels(came), payload, self.masters.current)
        except UnreadableError:
            return None
        if opened.command is None:
            return None
        for master in self.masters.names:
            request = opened.request(self.masters, master)
            if request.derived.event_id(0) == event_id:
                return request
        return None

    async def look_back(self, id_: UUID) -> bool:
        """Read once more where this command must lie: it was redriven, long after it had come.

        Returns whether there was anything to read once more.
        """
        at = id_time(id_)
        if at is None or not self._is_past(at):
            return False
        async with self.from_time(at - NEAR) as reader, aclosing(by_time(reader)) as reading:
            async for arrivals in reading:
                self.by_id[id_] += [came for came in arrivals if claimed(came) == id_]
                if arrivals and arrivals[0].appended_at > at + NEAR:
                    break
        return True

    def _is_past(self, at: datetime) -> bool:
        before_all = self.since is not None and at < self.since + NEAR
        return before_all or at + LONGEST_LIFE < self._forgotten_to

    def forget(self, before: datetime) -> None:
        """Let go of what had expired by then."""
        self._forgotten_to = max(self._forgotten_to, before)
        bucket = _bucket(before)
        for each in [each for each in self._expiring if each < bucket]:
            for command_id in self._expiring.pop(each):
                if self._held_to.get(command_id, bucket) < bucket:
                    del self._held_to[command_id], self.by_id[command_id]

    async def _read(self, until: datetime) -> bool:
        """Read a little where not all is known that came until then; returns whether there was."""
        behind = [each for each in self.reader.left if self._read_to.get(each, LONG_AGO) <= until]
        if not behind:
            return False
        for topic, record in await self.reader.some(behind):
            self._keep(TopicPartition(record.topic, record.partition), arrival(topic, record))
        return True

    def _keep(self, place: TopicPartition, came: Arrival) -> None:
        """Hold what might have had an effect, and of its headers what is read."""
        self._read_to[place] = max(self._read_to.get(place, LONG_AGO), came.appended_at)
        try:
            labels = read_labels(came)
        except UnreadableError:
            return
        issued, is_large = id_time(labels.id), came.size > LARGEST_SEAL
        if issued is None or is_large or labels.text.get("ce_type") in _QUESTIONS:
            return
        if issued - came.appended_at > NEAR:  # refused, and it would be held until its time
            return
        longest = issued + LONGEST_LIFE
        self.by_id[labels.id].append(with_labels_alone(came))
        bucket = _bucket(min(labels.expires_at or longest, longest))
        self._held_to[labels.id] = max(self._held_to.get(labels.id, bucket), bucket)
        self._expiring[bucket].append(labels.id)


def _bucket(at: datetime) -> int:
    return int(at.timestamp()) // _BUCKET_SECONDS
