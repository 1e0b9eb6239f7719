"""FastStream's side: batch subscribers that hand raw records to lanes, and their rebalances.

Offsets are committed explicitly and only as far as the fence is durable. A record's headers and
value are never parsed here, so no record can stop its neighbours.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from authbus.kafka.following import Record
from authbus.kafka.group_offsets import heed_group
from authbus.kafka.leaders import heed_leaders
from authbus.topics import Topic
from authbus_service.consumers.admitting import Admission, Guard
from authbus_service.consumers.arrival import arrival
from authbus_service.consumers.bounded import poll
from authbus_service.consumers.committing import Committing
from authbus_service.consumers.intakes import group
from authbus_service.consumers.lanes import Lanes
from authbus_service.consumers.member import Member
from authbus_service.consumers.progress import Progress
from authbus_service.consumers.static_membership import forget_name, name_once
from authbus_service.consumers.transient import OUTAGE
from authbus_service.consumers.untouched import Records, raw, untouched
from authbus_service.core.database import name_of
from authbus_service.core.logging import get_logger
from authbus_service.inbox.fence import Place

# How often a poll that finds nothing looks whether the service ends; a record ends it at once.
_POLL_MS = 500
_LARGEST_BATCH = 500
_POLL_AGAIN_SECONDS = 0.5
_DRAIN_SECONDS = 8.0
_SESSION_MS = 10_000
# Less than a group waits for a member to let go, and than the process gives us to stop: 20 and 18.
_LET_GO_SECONDS = 13.0
# A member learns of a rebalance by its heartbeat, and nobody reads before all have learned of it.
_HEARTBEAT_MS = 500
# While the database is away nothing is polled; a member that is silent for longer joins anew.
_MAX_POLL_MS = 300_000

_log = get_logger(__name__)


class Intake(ConsumerRebalanceListener):  # pyright: ignore[reportUntypedBaseClass]
    """One consumer of some command topics, its lanes and its progress."""

    def __init__(
        self,
        name: str,
        topics: Sequence[Topic],
        namespace: str,
        make_lanes: Callable[[Progress], Lanes],
        *,
        instance: str | None,
        guard: Guard,
        persist: Callable[["Intake"], Awaitable[None]],
        failed: Callable[[BaseException], None],
    ) -> None:
        """`guard` is asked before a partition is read, `persist` moves the fence before it goes.

        `failed` is told why nothing more is taken; `instance` is our name in the group.
        """
        self.name = name
        self.topics = {topic.name(namespace): topic for topic in topics}
        self.group = group(namespace, name)
        self.progress = Progress()
        self.lanes = make_lanes(self.progress)
        self._instance = instance
        self._admission = Admission(self.group, guard, self.progress, self._give_up)
        self._persist = persist
        self._failed = failed
        self._subscriber: Any = None
        self._names = {topic.suffix: name for name, topic in self.topics.items()}
        self._committing = Committing()
        self._joined = False
        self.rebalances = 0

    def register(self, broker: KafkaBroker) -> None:
        """Add the subscriber to the broker; it runs from the broker's start on."""
        self._subscriber = broker.subscriber(
            *self.topics,
            batch=True,
            group_id=self.group,
            group_instance_id=self._instance,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=500,
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=_HEARTBEAT_MS,
            max_poll_interval_ms=_MAX_POLL_MS,
            rebalance_timeout_ms=2 * _SESSION_MS,
            parser=untouched,
            decoder=raw,
            listener=self,
            title=f"{self.name} commands",
        )
        # FastStream's own sleeps after each poll that found nothing, and for 5 s after each error.
        self._subscriber.get_msg = self._poll
        self._subscriber(self._take)

    async def _poll(self, consumer: AIOKafkaConsumer) -> Records:
        found: list[Record] = []
        try:
            await poll(consumer, into=found, wait_ms=_POLL_MS, at_once=_LARGEST_BATCH)
        except KafkaError as error:
            _log.warning("nothing can be read", group=self.group, error=name_of(error))
            if not found:
                await asyncio.sleep(_POLL_AGAIN_SECONDS)
        except ConsumerStoppedError:
            raise
        except Exception as error:
            # FastStream would begin to poll again, behind what has come.
            self._give_up(error)
            raise
        return tuple(found)

    async def _take(self, records: Records) -> None:
        try:
            arrivals = [arrival(self.topics[record.topic], record) for record in records]
            if await self._admission.granted():
                await self.lanes.feed(arrivals, self)
        except Exception as error:
            # FastStream goes on with the next batch, and this one would be passed over.
            self._give_up(error)
            raise

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride] - aiokafka awaits it
        self, assigned: Iterable[TopicPartition]
    ) -> None:
        """Let records in once the guard has agreed; they may be fetched before, never handled."""
        self._joined = True
        name_once(self._consumer())
        self._admission.ask(partial(self._offsets, list(assigned)))

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        self, revoked: Iterable[TopicPartition]
    ) -> None:
        """Finish what runs, say how far it came, forget the rest, also when nobody can be told."""
        heed_group(self._consumer())
        heed_leaders(self._consumer())
        self._admission.next_round()
        self.rebalances += self._joined
        self._joined = False
        places = [self._place(each) for each in revoked]
        try:
            await self._let_go(places)
        except OUTAGE as error:
            _log.warning("offsets are left behind", group=self.group, error=name_of(error))
        finally:
            self.progress.forget(places)
            self._committing.forget(places)

    async def close(self) -> None:
        """Take nothing more, finish what runs, commit what is durable."""
        self._admission.close()
        if self._subscriber.consumer is not None:
            forget_name(self._consumer())
        await self._let_go()

    async def _let_go(self, places: Collection[Place] | None = None) -> None:
        """Finish what runs and say how far it came, within the time that a group waits for us."""
        async with asyncio.timeout(_LET_GO_SECONDS):
            await self._admission.ask_no_more()
            if not await self.lanes.drain(places, within=_DRAIN_SECONDS) and places is None:
                await self.lanes.cancel()
            await self._persist(self)
            await self.commit()

    async def _offsets(self, assigned: Sequence[TopicPartition]) -> dict[Place, int]:
        committed = self._consumer().committed
        offsets = await asyncio.gather(*(committed(each) for each in assigned))
        return {
            self._place(each): offset
            for each, offset in zip(assigned, offsets, strict=True)
            if offset is not None
        }

    def _give_up(self, error: Exception) -> None:
        self._admission.close()
        self._failed(error)

    async def commit(self) -> None:
        """Commit Kafka's offsets up to the durable fence, where they have moved."""
        if self._subscriber.consumer is not None:
            await self._committing.commit(self.progress.safe(), self._commit)

    async def _commit(self, offsets: Mapping[Place, int]) -> None:
        await self._consumer().commit(
            {self._partition(place): offset for place, offset in offsets.items()}
        )

    def pause(self, place: Place) -> None:
        """Read nothing more of this partition for now, if it is still ours."""
        if self._is_ours(place):
            self._consumer().pause(self._partition(place))

    def resume(self, place: Place) -> None:
        """Go on reading it, if it is still ours."""
        if self._is_ours(place):
            self._consumer().resume(self._partition(place))

    def member(self) -> Member | None:
        """Our place in the group; None while we have none."""
        consumer = self._subscriber.consumer
        if consumer is None or not self._joined:
            return None
        ours = {self._place(each): each for each in consumer.assignment()}
        return Member(consumer, ours, self._admission.is_open, self._admission.shut_seconds)

    def _is_ours(self, place: Place) -> bool:
        consumer = self._subscriber.consumer
        return consumer is not None and self._partition(place) in consumer.assignment()

    def _consumer(self) -> AIOKafkaConsumer:
        return self._subscriber.consumer

    def _place(self, partition: TopicPartition) -> Place:
        return self.topics[partition.topic].suffix, partition.partition

    def _partition(self, place: Place) -> TopicPartition:
        suffix, partition = place
        return TopicPartition(self._names[suffix], partition)
