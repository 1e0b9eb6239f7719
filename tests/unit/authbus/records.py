"""Records as a consumer gives them, made by hand."""

from aiokafka import ConsumerRecord

from authbus.envelope import Header
from authbus.kafka.following import Record


def a_record(
    value: bytes | None,
    *,
    key: bytes | None = None,
    headers: tuple[Header, ...] | list[Header] = (),
    partition: int = 0,
    offset: int = 0,
    timestamp: int = 0,
) -> Record:
    """One record of some topic."""
    return ConsumerRecord(
        topic="t",
        partition=partition,
        offset=offset,
        timestamp=timestamp,
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=tuple(headers),
    )
