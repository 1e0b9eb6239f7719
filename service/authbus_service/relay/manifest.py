"""The relay's memory: what its last transaction said, written in that same transaction.

Only the last one is ever needed, because rows are deleted before the next transaction begins.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from authbus_service.outbox.repository import Said
from authbus_service.relay.errors import ManifestError
from authbus_service.relay.looking import Record, between, looking

KEY = b"manifest"
_FIRST_STEP = 2  # one record and the marker of its transaction
_GROWTH = 8


class Manifest(BaseModel):
    """The rows of one transaction. `epoch` is their database's; another one's are not obeyed."""

    model_config = ConfigDict(frozen=True)

    epoch: UUID
    positions: Annotated[tuple[int, ...], Field(min_length=1)]
    ids: tuple[UUID, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len(self.positions) != len(self.ids):
            raise ValueError("more positions than ids, or less")
        return self

    def said(self) -> list[Said]:
        """The rows."""
        return [Said(*pair) for pair in zip(self.positions, self.ids, strict=True)]


def manifest(epoch: UUID, said: Sequence[Said]) -> bytes:
    """The value of a manifest's record."""
    positions = tuple(row.position for row in said)
    ids = tuple(row.id for row in said)
    return Manifest(epoch=epoch, positions=positions, ids=ids).model_dump_json().encode()


async def last_manifest(
    topic: str, client: Mapping[str, Any], *, beyond: int = -1
) -> Manifest | None:
    """The newest committed manifest, or None when there has been none.

    `client` are aiokafka's keyword arguments. Ask only after InitProducerId: that settles the
    past. Raises ManifestError when the newest one cannot be read, or is hidden behind the open
    transaction of a stranger, and when what can be read does not go `beyond` an offset.
    """
    async with looking(client) as consumer:
        record = await _newest(consumer, TopicPartition(topic, 0), beyond)
    return None if record is None else read(record)


def read(record: Record) -> Manifest:
    """The manifest in a record. Raises ManifestError when it cannot be read."""
    try:
        return Manifest.model_validate_json(record.value or b"")
    except ValidationError as error:
        place = f"{record.topic}/{record.partition}/{record.offset}"
        raise ManifestError(
            f"{place} is no manifest that this version reads, and nobody knows what was said. Has "
            "a newer version run, go on with that one; else somebody else wrote it: let Kafka "
            "forget it, as the runbook has it under AuthbusRelayStartsOver"
        ) from error


async def _newest(consumer: AIOKafkaConsumer, place: TopicPartition, beyond: int) -> Record | None:
    """Look backwards in growing steps: aborted records, markers and gaps may be at the end."""
    consumer.assign([place])
    first = (await consumer.beginning_offsets([place]))[place]
    end = (await consumer.end_offsets([place]))[place]
    step = _FIRST_STEP
    while True:
        start = max(first, end - step)
        found = [each for each in await between(consumer, place, start, end) if each.key == KEY]
        if consumer.highwater(place) != consumer.last_stable_offset(place):
            raise ManifestError(
                f"somebody has a transaction open on {place.topic}. Wait until it is over, or end "
                "it as the runbook has it under AuthbusRelayStuck"
            )
        if end <= beyond:
            raise ManifestError(
                f"a broker that leads it no more was asked for {place.topic}. Do it again"
            )
        if found or start == first:
            return found[-1] if found else None
        step *= _GROWTH
