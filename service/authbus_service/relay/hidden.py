"""What is on the relay's topics and not shown yet to readers of what is committed."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer, TopicPartition

from authbus.envelope import read_headers
from authbus.kafka.connection import SILENCE_MS
from authbus.kafka.stopping import stop
from authbus.topics import DEAD_LETTERS, RELAY
from authbus_service.cluster.acls import SAID_BY_RELAY
from authbus_service.cluster.places import places_of
from authbus_service.relay import heartbeat
from authbus_service.relay.looking import Record, between, looking
from authbus_service.relay.manifest import KEY, Manifest, read
from authbus_service.relay.open_transactions import Open, id_of, open_on
from authbus_service.relay.partition_leaders import ends, of_all, places_on
from authbus_service.relay.producer import OPEN_SECONDS, TransactionalProducer

_SAID = (*SAID_BY_RELAY, DEAD_LETTERS)
# The records of one transaction get their times in one go, before the first is sent, and whoever is
# stopped meanwhile for longer than a transaction may take commits nothing.
_APART_MS = 2_000
_PAUSE = 0.02
_ALIVE = heartbeat.KEY.encode()
Hidden = Mapping[TopicPartition, range]


@dataclass(slots=True)
class Found:
    """The ids of the records on each place, and the manifests; `since` is a time before the last.

    On the relay's own topic lie the ids that its manifests name.
    """

    ids: dict[TopicPartition, set[UUID]] = field(default_factory=dict[TopicPartition, set[UUID]])
    manifests: list[Manifest] = field(default_factory=list[Manifest])
    since: int = 0

    def on(self, places: Collection[TopicPartition]) -> set[UUID]:
        """The ids on these places."""
        return set[UUID]().union(*(self.ids[place] for place in places))


@dataclass(frozen=True, slots=True)
class SaidTopics:
    """The topics on which the relay of a namespace says things.

    `client` are aiokafka's keyword arguments.
    """

    namespace: str
    client: Mapping[str, Any]

    @property
    def memory(self) -> TopicPartition:
        """Where the manifests are."""
        return TopicPartition(RELAY.name(self.namespace), 0)

    async def hidden(self) -> Hidden:
        """Which offsets of which partitions the readers of what is committed do not see yet.

        Asked by a client of its own.
        """
        producer = AIOKafkaProducer(**self.client, request_timeout_ms=SILENCE_MS)
        try:
            await producer.start()
            return await self._hidden(producer)
        finally:
            await stop(producer)

    async def hanging(self, producer: TransactionalProducer) -> Hidden:
        """Where a transaction of this producer's id is open, each from its first record on.

        Nothing is said under that id meanwhile. A place that is hidden although nobody has a
        transaction open on it is looked at again: its marker is not on every replica yet.
        """
        while hidden := await producer.do(self._hidden, OPEN_SECONDS):
            places = hidden.keys()
            found, mine = await producer.do(partial(_open_on, places=places))
            if all(found.values()):
                ours = {place: begun[mine] for place, begun in found.items() if mine in begun}
                return {place: range(first, hidden[place].stop) for place, first in ours.items()}
            await asyncio.sleep(_PAUSE)
        return {}

    async def found(self, hidden: Hidden, epoch: UUID) -> Found:
        """What is there, whether it is shown or not. Manifests of other epochs are left out."""
        found = Found()
        if not hidden:
            return found
        async with looking(self.client, committed=False) as consumer:
            consumer.assign(list(hidden))
            for place, offsets in hidden.items():
                records = await between(consumer, place, offsets.start, offsets.stop)
                found.ids[place] = _ids(records)
                if place == self.memory:
                    self._remember(records, found, epoch)
        return found

    async def seen(self, ids: Collection[UUID], since: int, hidden: Hidden) -> bool:
        """Whether readers of what is committed see any of these, on a place that hides nothing."""
        places = [each for each in await places_of(self.client, self._names) if each not in hidden]
        async with looking(self.client) as consumer:
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            starts = await consumer.offsets_for_times(dict.fromkeys(places, since))
            for place, start in starts.items():
                if start is not None and start.offset < ends[place]:
                    records = await between(consumer, place, start.offset, ends[place])
                    if not _ids(records).isdisjoint(ids):
                        return True
        return False

    async def _hidden(self, producer: AIOKafkaProducer) -> Hidden:
        places = await places_on(producer, self._names)
        # In this order: what is said and shown in between is not hidden.
        last, stable = [
            await of_all(partial(ends, producer, committed=each), places) for each in (False, True)
        ]
        return {
            place: range(stable[place], last[place])
            for place in places
            if stable[place] < last[place]
        }

    @property
    def _names(self) -> list[str]:
        return [topic.name(self.namespace) for topic in _SAID]

    def _remember(self, records: Iterable[Record], found: Found, epoch: UUID) -> None:
        for record in records:
            if record.key != KEY:
                continue
            memory = read(record)
            if memory.epoch == epoch:
                found.manifests.append(memory)
                found.ids[self.memory].update(memory.ids)
                found.since = record.timestamp - _APART_MS


async def _open_on(
    producer: AIOKafkaProducer, places: Collection[TopicPartition]
) -> tuple[Mapping[TopicPartition, Open], int]:
    """The transactions that are open on these places, and the id of our own."""
    return await open_on(producer, places), id_of(producer)


def _ids(records: Iterable[Record]) -> set[UUID]:
    """The CloudEvents ids; a stranger's record may have none, and a sign of life is no row."""
    found: set[UUID] = set()
    for record in records:
        if record.key == _ALIVE:
            continue
        id_ = read_headers(record.headers).get("ce_id", "")
        try:
            found.add(UUID(id_))
        except ValueError:
            continue
    return found
