"""What earlier relays have said, settled before another word is said.

The newest manifest names the rows that its transaction said; they are deleted. Every older one's
rows were gone before that transaction began.

Kafka may have forgotten to end a transaction on some partitions: a coordinator that knows no leader
of a partition at that moment takes it for deleted and sends it no marker (KAFKA-20734; every 4.x
that is out). To the coordinator the transaction is over, so that InitProducerId has nothing to
settle, but on that partition it is open: readers of what is committed see neither its records nor
any behind them until the next marker of our producer id there, which ends all that it has open
there, however that came about: a commit of ours, or an abort of InitProducerId.

So whatever may be hidden has to be in the outbox, and nothing has to rest on which marker comes:

- A relay deletes rows, and begins another transaction, only when the last one is over on each
  place (relay/open_transactions.py). What hangs was said by the last one, and its rows wait.
- Those rows of it that readers see are deleted here, the hidden ones wait before all others under
  positions that no manifest names (outbox/again.py), in one transaction of the database. Only then
  are they aborted, and said again. A relay that is cut off in between comes to the same: the next
  InitProducerId aborts them.

Whether the last transaction was committed is known where its manifest is seen. Where that hangs
itself, it was if readers see any of its records; if they see none, all of it is said again, but not
while a stranger's transaction may hide one from them.

That the memory is read to its very end is known by a record that is written there just before
(relay/partition_leaders.py).

What hangs and has no row, because an older version deleted it, or the database is one from before,
is committed: nobody can say it again.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from aiokafka.errors import KafkaError
from sqlalchemy import ColumnElement, select

from authbus.topics import RELAY
from authbus_service.core.database import Database
from authbus_service.core.logging import get_logger
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.again import say_again
from authbus_service.relay.errors import HangingError, LeaseLostError, ManifestError
from authbus_service.relay.hidden import Found, Hidden, SaidTopics
from authbus_service.relay.manifest import Manifest, last_manifest
from authbus_service.relay.open_transactions import names
from authbus_service.relay.partition_leaders import address_of, vouched
from authbus_service.relay.producer import TransactionalProducer

_SECONDS = 10.0
_DATABASE_SECONDS = 5.0
log = get_logger(__name__)


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
        self,
        producer: TransactionalProducer,
        *,
        provided: ColumnElement[bool],
        vouch: bool = True,
    ) -> None:
        """Delete the rows that were said where `provided` holds, and end what hangs.

        `producer` is open; without `vouch` it writes nothing where nothing hangs. Raises
        ManifestError when nobody knows what was said, HangingError when a partition does not end,
        and LeaseLostError when something hangs and `provided` does not hold.
        """
        async with asyncio.timeout(_SECONDS):
            near = await self._near(producer)
            await near._settle(producer, provided, vouch=vouch)  # noqa: SLF001 - itself

    async def hidden(self) -> Hidden:
        """Which offsets of which partitions the readers of what is committed do not see yet."""
        return await self._topics.hidden()

    async def watch(self, seconds: float, longest: float) -> None:
        """Look again and again. Raises HangingError for what hides longer than a transaction may.

        `longest` is how many seconds a transaction may take. A look that fails is no reason to end.
        """
        while True:
            await asyncio.sleep(seconds)
            try:
                await self._look(longest)
            except (KafkaError, TimeoutError) as error:
                log.warning("Kafka did not say what it hides", error=type(error).__name__)

    async def _look(self, longest: float) -> None:
        if before := await self._hidden_in_time():
            await asyncio.sleep(longest)
            after = await self._hidden_in_time()
            both = before.keys() & after.keys()
            stuck = {each for each in both if before[each].start == after[each].start}
            if stuck:
                raise HangingError(f"records are hidden on {names(stuck)}")

    async def _hidden_in_time(self) -> Hidden:
        async with asyncio.timeout(_SECONDS):
            return await self.hidden()

    async def _near(self, producer: TransactionalProducer) -> "Past":
        """As this, by way of a broker that is known to be there: others may say nothing."""
        address = await producer.do(partial(address_of, place=self._topics.memory))
        return replace(self, client={**self.client, "bootstrap_servers": address})

    async def _settle(
        self, producer: TransactionalProducer, provided: ColumnElement[bool], *, vouch: bool
    ) -> None:
        hanging = dict(await self._topics.hanging(producer))
        found = await self._topics.found(hanging, self.epoch)
        if (place := self._topics.memory) in hanging:
            await self._judge_last(found, hanging, provided)
            await self._end({place: hanging.pop(place)}, found, producer)
        beyond = await producer.do(partial(vouched, place=place)) if vouch else -1
        memory = await last_manifest(place.topic, self.client, beyond=beyond)
        if memory is not None and memory.epoch == self.epoch:
            await self._delete(memory, found.on(hanging), provided, must=bool(hanging))
        await self._end(hanging, found, producer)

    @property
    def _topics(self) -> SaidTopics:
        return SaidTopics(self.namespace, self.client)

    async def _judge_last(
        self, found: Found, hanging: Hidden, provided: ColumnElement[bool]
    ) -> None:
        """The last manifest is hidden: delete what it names if its transaction was committed.

        Rows of the relay's own topic are said by the manifest alone, so that they are hidden too.
        Raises ManifestError when a stranger's transaction may hide what was committed.
        """
        if not found.manifests:
            return
        last = found.manifests[-1]
        waiting = await self._waiting(set(last.ids))
        if not waiting:
            return
        # Before readers look: what the stranger lets go of meanwhile they may have missed.
        others = (await self._topics.hidden()).keys() - hanging.keys()
        if await self._topics.seen(waiting.keys(), found.since, hanging):
            records = found.on(hanging.keys() - {self._topics.memory})
            named = {id_ for id_, topic in waiting.items() if topic == RELAY.suffix}
            await self._delete(last, records | named, provided, must=True)
        elif others:
            raise ManifestError(
                f"somebody has a transaction open on {', '.join(names(others))}. Wait until it is "
                "over, or end it as the runbook has it under AuthbusRelayStuck"
            )

    async def _delete(
        self,
        memory: Manifest,
        hidden: Collection[UUID],
        provided: ColumnElement[bool],
        *,
        must: bool,
    ) -> None:
        """Delete the rows that this names, but for the hidden ones: those are said again.

        With `must` raises LeaseLostError where `provided` does not hold.
        """
        said = memory.said()
        shown = [row for row in said if row.id not in hidden]
        unshown = [row for row in said if row.id in hidden]
        async with asyncio.timeout(_DATABASE_SECONDS), self.database.transaction() as db:
            settled = await outbox.remove(db, shown, provided=provided)
            again = await say_again(db, unshown, provided=provided)
            if must and not await db.scalar(select(provided)):
                raise LeaseLostError("what hangs is not ours to end")
        log.info("what was said before is deleted", rows=settled, again=again)

    async def _end(self, hanging: Hidden, found: Found, producer: TransactionalProducer) -> None:
        """Write the markers that are missing: what waits is aborted."""
        if not hanging:
            return
        waiting = (await self._waiting(found.on(hanging))).keys()
        aborted = {place for place in hanging if found.ids[place] & waiting}
        committed = hanging.keys() - aborted
        log.warning("Kafka left open", committed=names(committed), aborted=names(aborted))
        for places, commit in ((aborted, False), (committed, True)):
            if places:
                await producer.end({each: hanging[each].start for each in places}, commit=commit)

    async def _waiting(self, ids: Collection[UUID]) -> Mapping[UUID, str]:
        async with asyncio.timeout(_DATABASE_SECONDS), self.database.reading() as db:
            return await outbox.waiting(db, ids)
