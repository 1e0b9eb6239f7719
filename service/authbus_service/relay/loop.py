"""The relay: each row of the outbox becomes one record that `read_committed` readers see once.

In one Kafka transaction go the rows, in the order of their positions, and a manifest that names
them; once each partition shows it the rows are deleted. Whatever happens in between, the next start
does the same: it has Kafka settle the past (InitProducerId), reads the newest manifest, deletes
what that names and goes on. So nothing here is ever retried; every error leads to that start, but
for the end of the database's epoch: a process from before a recovery has only its own.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any
from uuid import UUID

from authbus.topics import SESSIONS_ENDED
from authbus_service.cluster.acls import relay_name
from authbus_service.core.clock import now
from authbus_service.core.database import Database
from authbus_service.core.logging import get_logger
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.floor import Floor
from authbus_service.outbox.repository import Said, Waiting
from authbus_service.relay.batch import Unit, in_order, outgoing, units
from authbus_service.relay.epoch import require_epoch
from authbus_service.relay.errors import EpochOverError, LeaseLostError, OutcomeUnknownError, why
from authbus_service.relay.heartbeat import Settled, heartbeats, settled
from authbus_service.relay.lease import LEASE_SECONDS, Lease
from authbus_service.relay.notifications import listen
from authbus_service.relay.past import Past
from authbus_service.relay.producer import Outgoing, TransactionalProducer
from authbus_service.relay.state import RelayState

_ROWS = 1000
_DATABASE_SECONDS = 5.0
_NO_SECURITY: Mapping[str, Any] = MappingProxyType({})
Around = Callable[[Sequence[Waiting]], AbstractContextManager[None]]
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. `deadline` is a Kafka transaction's; small ones begin `pause` after one another.

    `gather` says how long a batch may wait for more rows at this moment, beyond the usual pause.
    """

    deadline: float = 2.0
    pause: float = 0.008
    poll: float = 0.2
    heartbeat: float = 1.0
    first_retry: float = 0.05
    last_retry: float = 5.0
    look: float = 15.0
    gather: Callable[[], float] = float


class Relay:
    """Says what the outbox holds, for as long as it holds the lease."""

    def __init__(
        self,
        database: Database,
        *,
        bootstrap_servers: str,
        namespace: str,
        epoch: UUID,
        holder: UUID,
        lease_seconds: float = LEASE_SECONDS,
        security: Mapping[str, Any] = _NO_SECURITY,
        pace: Pace = Pace(),
    ) -> None:
        """A relay at rest. `epoch` is the database's, `holder` names this process for the lease.

        `security` are aiokafka's keyword arguments.
        """
        self.state = RelayState()
        self.around: Around = lambda _: nullcontext()  # entered with each transaction's rows
        self._database, self._namespace = database, namespace
        self._epoch, self._pace = epoch, pace
        self._client: dict[str, Any] = {
            "bootstrap_servers": bootstrap_servers,
            "client_id": relay_name(namespace),
            **security,
        }
        self._lease = Lease(database, holder=holder, seconds=lease_seconds)
        self._past = Past(namespace, self._client, database, epoch)
        self._floor = Floor(database)
        self._producer = self._make_producer()
        self._woken = asyncio.Event()
        self._limit = self._most = _ROWS
        self._unfit: set[Said] = set()
        self._retry, self._beat_at, self._ready_at = pace.first_retry, 0.0, 0.0

    def wake(self) -> None:
        """There are new rows; call it after the commit."""
        self._woken.set()

    async def run(self) -> None:
        """Relay until cancelled or EpochOverError; then all is closed and a standby may lead."""
        try:
            while True:
                try:
                    await self._lead()
                except Exception as error:  # noqa: BLE001 - whatever it was, start over
                    self._failed(error)
                await asyncio.sleep(self._retry)
                self._retry = min(self._retry * 2, self._pace.last_retry)
        finally:
            with suppress(Exception):
                await self._lease.release()

    async def _lead(self) -> None:
        await require_epoch(self._database, self._epoch)
        await self._lease.take()
        log.info("the relay leads", number=self._lease.number)
        self.state.leading = True
        try:
            async with asyncio.TaskGroup() as beside:
                beside.create_task(self._lease.keep())
                beside.create_task(listen(self._database, outbox.CHANNEL, self._woken.set))
                beside.create_task(self._past.watch(self._pace.look, 2 * self._pace.deadline))
                beside.create_task(self._floor.keep())
                await self._relay()
        finally:
            self.state.rests()

    async def _relay(self) -> None:
        try:
            await self._see_oldest()
            await self._producer.open()
            await require_epoch(self._database, self._epoch)
            await self._settle()
            await self._lease.renew()
            while True:
                if not await self._round():
                    await self._rest()
        finally:
            await self._producer.close()

    async def _see_oldest(self) -> None:
        """Before what may never end: for how long a row has waited is to be known all the same."""
        async with asyncio.timeout(_DATABASE_SECONDS), self._database.reading() as db:
            self._saw(await outbox.oldest(db, 1))

    async def _settle(self) -> None:
        await self._past.settle(self._producer, provided=self._lease.held())

    async def _round(self) -> bool:
        """Say one batch; True when more is waiting."""
        self._woken.clear()
        async with asyncio.timeout(_DATABASE_SECONDS):
            known = await self._settled() if self._beat_due() else None
            async with self._database.reading() as db:
                rows = await outbox.oldest(db, self._limit)
        self._saw(rows)
        self.state.last_look_at = now()
        all_read = len(rows) < self._limit
        found = units(rows, all_read=all_read)
        self._limit = _ROWS if found or all_read else 2 * self._limit
        together = found[: self._most]
        emptied = all_read and together == found
        rows = in_order(together)
        records = outgoing(rows, namespace=self._namespace, epoch=self._epoch, unfit=self._unfit)
        if emptied and known is not None:
            topic = SESSIONS_ENDED.name(self._namespace)
            partitions = await self._producer.partitions(topic)
            records += heartbeats(self._namespace, partitions, known.through)
        if records:
            await self._say(together, rows, records)
        if emptied and known is not None:
            self._beat_at = asyncio.get_running_loop().time() + self._pace.heartbeat
        self._retry = self._pace.first_retry
        return not emptied

    async def _say(
        self, together: list[Unit], rows: list[Waiting], records: list[Outgoing]
    ) -> None:
        began = asyncio.get_running_loop().time()
        try:
            with self.around(rows):
                await self._producer.publish(records)
        except OutcomeUnknownError as error:
            self._narrow(together, error)
            raise
        self.state.batches += 1
        self._ready_at = began + max(self._pace.pause, self._pace.gather())
        self._most = min(self._most * 2, _ROWS)
        if rows:
            await self._forget([row.said for row in rows])
            self.state.said += len(rows)
            self.state.last_batch_at = now()

    async def _forget(self, said: list[Said]) -> None:
        async with asyncio.timeout(_DATABASE_SECONDS), self._database.transaction() as db:
            gone = await outbox.remove(db, said, provided=self._lease.held())
        if gone != len(said):
            raise LeaseLostError("the rows that were said are not ours to delete")
        self._unfit.difference_update(said)

    async def _rest(self) -> None:
        """Wait for rows; just after a batch let some more gather."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.poll):
                await self._woken.wait()
        await asyncio.sleep(self._ready_at - asyncio.get_running_loop().time())

    async def _settled(self) -> Settled:
        known = await settled(self._database)
        self.state.held_back = known.held_back.total_seconds()
        return known

    def _make_producer(self) -> TransactionalProducer:
        return TransactionalProducer(
            self._client,
            transactional_id=relay_name(self._namespace),
            deadline=self._pace.deadline,
        )

    def _beat_due(self) -> bool:
        return asyncio.get_running_loop().time() >= self._beat_at

    def _saw(self, rows: list[Waiting]) -> None:
        self.state.oldest_at = rows[0].written_at if rows else None
        if rows:
            self._floor.seen(rows[-1].said.position)

    def _narrow(self, together: list[Unit], error: OutcomeUnknownError) -> None:
        """Say half as many next time, until it is in time, or what does not fit is alone."""
        self._most = max(len(together) // 2, 1)
        if why(error) != "record_too_large":
            return
        self._retry = self._pace.first_retry
        left = [row for row in chain.from_iterable(together) if row.said not in self._unfit]
        if len(together) == 1 and left:
            largest = max(left, key=lambda row: len(row.payload or b""))
            log.error("a record is too large for Kafka", type=largest.type, id=str(largest.said.id))
            self._unfit.add(largest.said)

    def _failed(self, error: Exception) -> None:
        first = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
        if isinstance(first, EpochOverError):
            raise first
        self.state.restarts[why(first)] += 1
        log.warning("the relay starts over", exc_info=first)
