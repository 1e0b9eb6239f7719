"""The relay's memory: what its last transaction said, written in that same transaction.

Only the last one is ever needed, because rows are deleted before the next transaction begins.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from authbus_service.outbox.repository import Said
from authbus_service.relay.errors import ManifestError

KEY = b"manifest"
_FIRST_STEP = 2  # one record and the marker of its transaction
_GROWTH = 8
_WAIT_MS = 20


class Manifest(BaseModel):
    """The rows of one transaction. `epoch` is their database's; another one's are not obeyed."""

    model_config = ConfigDict(frozen=True)

    epoch: UUID
    positions: Annotated[tuple[int, ...], Field(min_length=1)]
    ids: tuple[UUID, ...]

    def said(self) -> list[Said]:
        """The rows. Raises ManifestError when it is torn."""
        if len(self.positions) != len(self.ids):
            raise ManifestError("a manifest with more positions than ids, or less")
        return [Said(*pair) for pair in zip(self.positions, self.ids, strict=True)]


def manifest(epoch: UUID, said: Sequence[Said]) -> bytes:
    """The value of a manifest's record."""
    positions = tuple(row.position for row in said)
    ids = tuple(row.id for row in said)
    return Manifest(epoch=epoch, positions=positions, ids=ids).model_dump_json().encode()


async def last_manifest(topic: str, client: Mapping[str, Any]) -> Manifest | None:
    """The newest committed manifest, or None when there has been none.

    `client` are aiokafka's keyword arguments. Ask only after InitProducerId: that settles the
    past. Raises ManifestError when the newest one cannot be read, or is hidden behind the open
    transaction of a stranger.
    """
    consumer = AIOKafkaConsumer(
        **client,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=_WAIT_MS,
    )
    try:
        await consumer.start()
        record = await _newest(consumer, TopicPartition(topic, 0))
    finally:
        await consumer.stop()
    if record is None:
        return None
    try:
        return Manifest.model_validate_json(record.value or b"")
    except ValidationError as error:
        raise ManifestError(f"offset {record.offset} of {topic} is no manifest") from error


async def _newest(
    consumer: AIOKafkaConsumer, partition: TopicPartition
) -> ConsumerRecord[bytes, bytes] | None:
    """Look backwards in growing steps: aborted records, markers and gaps may be at the end."""
    consumer.assign([partition])
    first = (await consumer.beginning_offsets([partition]))[partition]
    end = (await consumer.end_offsets([partition]))[partition]
    step = _FIRST_STEP
    while True:
        start = max(first, end - step)
        found = await _last_between(consumer, partition, start, end)
        if consumer.highwater(partition) != consumer.last_stable_offset(partition):
            raise ManifestError(f"somebody has a transaction open on {partition.topic}")
        if found is not None or start == first:
            return found
        step *= _GROWTH


async def _last_between(
    consumer: AIOKafkaConsumer, partition: TopicPartition, start: int, end: int
) -> ConsumerRecord[bytes, bytes] | None:
    found: ConsumerRecord[bytes, bytes] | None = None
    consumer.seek(partition, start)
    while consumer.highwater(partition) is None or await consumer.position(partition) < end:
        batches = await consumer.getmany(partition, timeout_ms=_WAIT_MS)
        for record in batches.get(partition, ()):
            if record.key == KEY:
                found = record
    return found
