"""Kafka transactions of which the outcome is known, or the producer is gone.

No request of a transaction is ever sent twice under one epoch. A request that went unanswered may
still be on its way and would end or enter the *next* transaction of that epoch; aiokafka would
send it again. So the first one without an answer ends the producer, and only a new epoch goes on.

Nor does anything come back before the transaction is over on each partition where it was.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import ConnectionGroup
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder

from authbus.envelope import Header
from authbus_service.cluster.partitioning import partition_of
from authbus_service.relay.errors import (
    HangingError,
    OutcomeUnknownError,
    RecordTooLargeError,
)
from authbus_service.relay.open_transactions import until_over
from authbus_service.relay.throwing import drop, retrieve, throw_away

OPEN_SECONDS = 10.0
_REQUEST_MS = 6_000
_TRANSACTION_MS = 10_000
_BATCH_BYTES = 262_144
_BACKOFF_MS = 20
# Who follows ended sessions finds a new partition in 2 s and wants a sign of life there in 5 s.
_LOOK_MS = 2_000
_LARGEST_BYTES = 1_048_576
_Place = tuple[str, int]
T = TypeVar("T")
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One Kafka record; without a partition its key decides."""

    topic: str
    key: bytes
    value: bytes | None = field(repr=False)
    headers: Sequence[Header] = ()
    partition: int | None = None


class TransactionalProducer:
    """One transaction at a time under one transactional id; `open` again after any error."""

    def __init__(
        self, client: Mapping[str, Any], *, transactional_id: str, deadline: float
    ) -> None:
        """`client` are aiokafka's keyword arguments, `deadline` is a transaction's, in seconds."""
        self._client = client
        self._transactional_id = transactional_id
        self._deadline = deadline
        self._producer: AIOKafkaProducer | None = None
        self._unanswered = asyncio.Event()

    async def open(self) -> None:
        """Fence every earlier producer of this id and have its transaction settled."""
        await self.close()
        producer = self._make()
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await producer.start()
        except BaseException:
            await throw_away(producer)
            raise
        self._unanswered = asyncio.Event()
        self._watch(producer)
        self._producer = producer

    async def partitions(self, topic: str) -> list[int]:
        """The partitions that a topic has. Raises OutcomeUnknownError when nobody knows."""
        if self._producer is None:
            raise OutcomeUnknownError("no producer is open")
        async with asyncio.timeout(self._deadline):
            return sorted(await self._producer.partitions_for(topic))

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Commit all of these or raise OutcomeUnknownError, with the producer thrown away.

        RecordTooLargeError when one of them does not fit, HangingError when they were committed and
        a partition does not show it in time.
        """
        await self._until_over(await self.do(lambda producer: _transact(producer, records)))

    async def end(self, begun: Mapping[TopicPartition, int], *, commit: bool) -> None:
        """Write a marker, and nothing else, that ends our transactions that began at these offsets.

        Earlier producers of this id have left them. Raises OutcomeUnknownError or HangingError.
        """
        await self.do(lambda producer: _mark(producer, begun, commit=commit))
        await self._until_over(begun)

    async def _until_over(self, said: Mapping[TopicPartition, int]) -> None:
        seconds = self._deadline
        await self.do(lambda producer: until_over(producer, said, seconds), 2 * seconds)

    async def do(
        self,
        what: Callable[[AIOKafkaProducer], Coroutine[Any, Any, T]],
        seconds: float | None = None,
    ) -> T:
        """Have Kafka do this within so many seconds, a transaction's deadline without them.

        Raises HangingError as `what` does, else OutcomeUnknownError; the producer is thrown away.
        """
        if self._producer is None:
            raise OutcomeUnknownError("no producer is open")
        work = asyncio.create_task(what(self._producer))
        silence = asyncio.create_task(self._unanswered.wait())
        try:
            await asyncio.wait(
                {work, silence},
                timeout=seconds or self._deadline,
                return_when=asyncio.FIRST_COMPLETED,
            )
            self._judge(work)
            return work.result()
        except BaseException:
            await self.close()
            raise
        finally:
            await drop(work, silence)

    def _judge(self, work: asyncio.Task[Any]) -> None:
        if self._unanswered.is_set() or not work.done() or work.cancelled():
            raise OutcomeUnknownError("a request to Kafka was not answered in time")
        error = work.exception()
        if isinstance(error, _TOO_LARGE):
            raise RecordTooLargeError("a record does not fit") from error
        if isinstance(error, HangingError):
            raise error
        if error is not None:
            raise OutcomeUnknownError(f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Throw the producer away: no flush, no abort, no commit, nothing more is sent."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await throw_away(producer)

    def _make(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **self._client,
            transactional_id=self._transactional_id,
            acks="all",
            enable_idempotence=True,
            max_batch_size=_BATCH_BYTES,
            request_timeout_ms=_REQUEST_MS,
            retry_backoff_ms=_BACKOFF_MS,
            transaction_timeout_ms=_TRANSACTION_MS,
            metadata_max_age_ms=_LOOK_MS,
        )

    def _watch(self, producer: AIOKafkaProducer) -> None:
        client: Any = producer.client
        send = client.send
        unanswered = self._unanswered

        async def send_once(
            node: int, request: object, *, group: ConnectionGroup = ConnectionGroup.DEFAULT
        ) -> object:
            try:
                return await send(node, request, group=group)
            except Exception:  # noqa: BLE001 - whatever it is, there is no answer
                unanswered.set()
                raise asyncio.CancelledError from None  # ends aiokafka's own task: no second try

        client.send = send_once


async def _transact(
    producer: AIOKafkaProducer, records: Sequence[Outgoing]
) -> Mapping[TopicPartition, int]:
    """Where the last of them is on each place."""
    await producer.begin_transaction()
    batches = await _batches(producer, records)
    sent: list[asyncio.Future[Any]] = []
    for (topic, partition), batch in batches:
        sent.append(await producer.send_batch(batch, topic, partition=partition))
        sent[-1].add_done_callback(retrieve)  # nobody waits for it where the next one is not taken
    delivered = await asyncio.gather(*sent)
    count = sum(batch.record_count() for _, batch in batches)
    if count != len(records) or len(delivered) != len(batches) or None in delivered:
        raise OutcomeUnknownError("Kafka has not acknowledged every record")
    await producer.commit_transaction()
    return {each.topic_partition: each.offset for each in delivered}


async def _mark(
    producer: AIOKafkaProducer, places: Collection[TopicPartition], *, commit: bool
) -> None:
    insides: Any = producer
    await producer.begin_transaction()
    for place in places:
        insides._txn_manager.maybe_add_partition_to_txn(place)  # noqa: SLF001 - no record goes there
    await (producer.commit_transaction() if commit else producer.abort_transaction())


async def _batches(
    producer: AIOKafkaProducer, records: Sequence[Outgoing]
) -> list[tuple[_Place, BatchBuilder]]:
    """Batches in the order in which they must be sent; a full one is followed by another."""
    topics = {record.topic for record in records}
    partitions = {topic: sorted(await producer.partitions_for(topic)) for topic in topics}
    batches: list[tuple[_Place, BatchBuilder]] = []
    open_ones: dict[_Place, BatchBuilder] = {}
    for record in records:
        among = partitions[record.topic]
        partition = record.partition
        if partition is None:
            partition = partition_of(record.key, among)
        place = (record.topic, partition)
        batch = open_ones.get(place)
        if batch is None or not _added(batch, record):
            batch = open_ones[place] = producer.create_batch()
            batches.append((place, batch))
            if not _added(batch, record):
                raise MessageSizeTooLargeError
    return batches


def _added(batch: BatchBuilder, record: Outgoing) -> bool:
    size = len(record.key) + len(record.value or b"")
    if size > _LARGEST_BYTES:
        raise MessageSizeTooLargeError
    added = batch.append(
        key=record.key, value=record.value, timestamp=None, headers=list(record.headers)
    )
    return added is not None
