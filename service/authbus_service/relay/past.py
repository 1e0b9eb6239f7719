"""What earlier relays have said, settled before another word is said.

The newest manifest names the rows that its transaction said; they are deleted. Every older one's
rows were gone before that transaction began.

Kafka may have forgotten to end a transaction on some partitions: a coordinator that knows no leader
of a partition at that moment takes it for deleted and sends it no marker (KAFKA-20734; every 4.x
that is out). To the coordinator the transaction is over, so that InitProducerId has nothing to
settle, but on that partition it is open: readers of what is committed see neither its records nor
any behind them until the relay's next marker there, which commits or aborts quite another
transaction. So whatever is hidden gets its marker here. What still waits in the outbox will be said
again and is aborted; what does not wait was said and is committed. Rows may wait although their
transaction was committed, when nobody came to delete them: it was, if its manifest is, or if
readers see any of its records.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiokafka import TopicPartition
from sqlalchemy import ColumnElement

from authbus.envelope import read_headers
from authbus.topics import DEAD_LETTERS, RELAY
from authbus_service.cluster.acls import SAID_BY_RELAY
from authbus_service.cluster.places import places_of
from authbus_service.core.database import Database
from authbus_service.core.logging import get_logger
from authbus_service.outbox import repository as outbox
from authbus_service.relay.errors import HangingError
from authbus_service.relay.looking import Record, between, looking
from authbus_service.relay.manifest import KEY, Manifest, last_manifest, read
from authbus_service.relay.producer import TransactionalProducer

_SAID = (*SAID_BY_RELAY, DEAD_LETTERS)
# The records of one transaction lie no further apart: Kafka would have ended it.
_APART_MS = 20_000
_SECONDS = 10.0
_DATABASE_SECONDS = 5.0
log = get_logger(__name__)
Hidden = Mapping[TopicPartition, range]


@dataclass(slots=True)
class _Found:
    """What is hidden: the ids of the records on each place, and the manifests."""

    ids: dict[TopicPartition, set[UUID]]
    manifests: list[Manifest] = field(default_factory=list[Manifest])
    since: int | None = None

    def all_ids(self) -> set[UUID]:
        named = (each for memory in self.manifests for each in memory.ids)
        return set().union(*self.ids.values(), named)


@dataclass(frozen=True, slots=True)
class Past:
    """What was said in one namespace, and the outbox that it came from.

    `client` are aiokafka's keyword arguments.
    """

    namespace: str
    client: Mapping[str, Any]
    database: Database
    epoch: UUID

    async def settle(
        self, producer: TransactionalProducer, *, provided: ColumnElement[bool]
    ) -> None:
        """Delete the rows that were said where `provided` holds, and end what hangs.

        `producer` is open. Raises ManifestError when nobody knows what was said.
        """
        async with asyncio.timeout(_SECONDS):
            hidden = await self.hidden()
            if self._memory in hidden:
                await self._end(hidden, set(), producer, provided)
                hidden = {}
            memory = await last_manifest(self._memory.topic, self.client)
            if memory is None or memory.epoch != self.epoch:
                await self._end(hidden, set(), producer, provided)
                return
            await self._delete(memory, provided)
            await self._end(hidden, set(memory.ids), producer, provided)

    async def hidden(self) -> Hidden:
        """Which offsets of which partitions the readers of what is committed do not see yet."""
        places = await self._places()
        async with AsyncExitStack() as stack:
            stable, last = await asyncio.gather(
                *(self._ends(stack, places, committed=each) for each in (True, False))
            )
        return {
            place: range(stable[place], last[place])
            for place in last
            if stable[place] < last[place]
        }

    async def watch(self, seconds: float, longest: float) -> None:
        """Look again and again. Raises HangingError for what hides longer than a transaction may.

        `longest` is how many seconds a transaction may take.
        """
        while True:
            await asyncio.sleep(seconds)
            before = await self.hidden()
            if not before:
                continue
            await asyncio.sleep(longest)
            after = await self.hidden()
            both = before.keys() & after.keys()
            stuck = {each for each in both if before[each].start == after[each].start}
            if stuck:
                raise HangingError(f"records are hidden on {_names(stuck)}")

    async def _end(
        self,
        hidden: Hidden,
        said: set[UUID],
        producer: TransactionalProducer,
        provided: ColumnElement[bool],
    ) -> None:
        """Write the markers that are missing; `said` are known to be committed elsewhere."""
        if not hidden:
            return
        found = await self._found(hidden)
        waiting = await self._waiting(found.all_ids()) - said
        if waiting and found.manifests and await self._seen(waiting, found, hidden):
            await self._delete(found.manifests[-1], provided)
            waiting -= set(found.manifests[-1].ids)
        again = {place for place, ids in found.ids.items() if ids & waiting}
        rest = hidden.keys() - again
        log.warning("Kafka left open", committed=_names(rest), aborted=_names(again))
        for places, commit in ((rest, True), (again, False)):
            if places:
                await producer.end(places, commit=commit)

    async def _delete(self, memory: Manifest, provided: ColumnElement[bool]) -> None:
        async with asyncio.timeout(_DATABASE_SECONDS), self.database.transaction() as db:
            settled = await outbox.remove(db, memory.said(), provided=provided)
        log.info("what was said before is deleted", rows=settled)

    @property
    def _memory(self) -> TopicPartition:
        return TopicPartition(RELAY.name(self.namespace), 0)

    async def _places(self) -> list[TopicPartition]:
        return await places_of(self.client, (topic.name(self.namespace) for topic in _SAID))

    async def _ends(
        self, stack: AsyncExitStack, places: list[TopicPartition], *, committed: bool
    ) -> Mapping[TopicPartition, int]:
        consumer = await stack.enter_async_context(looking(self.client, committed=committed))
        return await consumer.end_offsets(places)

    async def _found(self, hidden: Hidden) -> _Found:
        found = _Found({})
        async with looking(self.client, committed=False) as consumer:
            consumer.assign(list(hidden))
            for place, offsets in hidden.items():
                records = await between(consumer, place, offsets.start, offsets.stop)
                found.ids[place] = _ids(records)
                if place == self._memory:
                    self._remember(records, found)
        return found

    def _remember(self, records: Iterable[Record], found: _Found) -> None:
        for record in records:
            if record.key != KEY:
                continue
            memory = read(record)
            if memory.epoch == self.epoch:
                found.manifests.append(memory)
                found.ids[self._memory].update(memory.ids)
                found.since = record.timestamp - _APART_MS

    async def _waiting(self, ids: set[UUID]) -> set[UUID]:
        async with asyncio.timeout(_DATABASE_SECONDS), self.database.reading() as db:
            return await outbox.waiting(db, ids)

    async def _seen(self, ids: set[UUID], found: _Found, hidden: Hidden) -> bool:
        """Whether readers of what is committed see any of these, on a place that hides nothing."""
        if found.since is None:
            return False
        places = [each for each in await self._places() if each not in hidden]
        async with looking(self.client) as consumer:
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            starts = await consumer.offsets_for_times(dict.fromkeys(places, found.since))
            for place, start in starts.items():
                if start is not None and start.offset < ends[place]:
                    records = await between(consumer, place, start.offset, ends[place])
                    if ids & _ids(records):
                        return True
        return False


def _ids(records: Iterable[Record]) -> set[UUID]:
    """The CloudEvents ids; a stranger's record may have none."""
    found: set[UUID] = set()
    for record in records:
        id_ = read_headers(record.headers).get("ce_id", "")
        try:
            found.add(UUID(id_))
        except ValueError:
            continue
    return found


def _names(places: Iterable[TopicPartition]) -> list[str]:
    return sorted(f"{place.topic}-{place.partition}" for place in places)
