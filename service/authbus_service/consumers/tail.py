"""The newest events that were said: how far each of their users has come, as everybody may know."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from pydantic import BaseModel, ValidationError

from authbus.kafka.connection import SILENCE_MS
from authbus.kafka.stopping import stop
from authbus.topics import EVENTS
from authbus_service.cluster.places import is_past, places_of

_EACH = 200
_WAIT_MS = 50


class _Said(BaseModel):
    user_id: UUID
    sequence: int


async def newest_events(
    servers: str, security: Mapping[str, Any], namespace: str
) -> dict[UUID, int]:
    """The greatest sequence of each user among the last records of every partition."""
    client: dict[str, Any] = {"bootstrap_servers": servers, **security}
    places = await places_of(client, [EVENTS.name(namespace)])
    consumer = AIOKafkaConsumer(
        **client,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_WAIT_MS,
        request_timeout_ms=SILENCE_MS,
    )
    newest: dict[UUID, int] = {}
    try:
        await consumer.start()
        consumer.assign(places)
        first = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        open_ = {place for place in places if ends[place] > first[place]}
        for place in places:
            consumer.seek(place, max(first[place], ends[place] - _EACH))
        while open_:
            found = await consumer.getmany(*open_, timeout_ms=_WAIT_MS)
            for records in found.values():
                _note(records, newest)
            open_ = {each for each in open_ if not await is_past(consumer, each, ends[each])}
    finally:
        await stop(consumer)
    return newest


def _note(records: list[ConsumerRecord[Any, Any]], newest: dict[UUID, int]) -> None:
    for record in records:
        try:
            said = _Said.model_validate_json(record.value or b"")
        except ValidationError:
            continue
        newest[said.user_id] = max(said.sequence, newest.get(said.user_id, 0))
