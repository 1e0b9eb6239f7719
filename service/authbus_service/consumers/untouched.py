"""What keeps FastStream's hands off the records: they go to the lanes as aiokafka read them."""

from typing import cast

from faststream.kafka.message import KafkaMessage

from authbus.kafka.following import Record

Records = tuple[Record, ...]


async def untouched(message: Records) -> KafkaMessage:
    """FastStream's own parser raises on a null or non-UTF-8 header and drops the whole batch."""
    return KafkaMessage(body=b"", raw_message=message, consumer=_NO_CONSUMER)


async def raw(message: KafkaMessage) -> Records:
    """The records again."""
    return cast("Records", message.raw_message)


class _NoConsumer:
    """Acknowledging through a message would commit every partition's position: it is refused."""

    async def commit(self) -> None:
        raise RuntimeError("offsets follow the fence alone")

    def seek(self, partition: object, offset: int) -> None:
        raise RuntimeError(f"offsets follow the fence alone, not {partition}: {offset}")


_NO_CONSUMER = _NoConsumer()
