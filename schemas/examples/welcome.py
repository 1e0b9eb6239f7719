"""A downstream module on FastStream: greets users who are new, with the contract's types alone.

It needs `authbus` without its client, and FastStream with Kafka.
"""

import os
from typing import Any
from uuid import UUID

from faststream import AckPolicy, FastStream, StreamMessage
from faststream.kafka import KafkaBroker

from authbus import Event, UserCreated
from authbus.contract import EVENTS

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
NAMESPACE = os.environ.get("AUTHBUS_NAMESPACE", "auth")

broker = KafkaBroker(SERVERS)
app = FastStream(broker)
heard: dict[UUID, int] = {}  # stands for a table: the last sequence of each user


async def read(message: StreamMessage[Any]) -> Event | None:
    """The event in a record; None for kinds that come with later versions."""
    kind = EVENTS.get(str(message.headers.get("ce_type")))
    return None if kind is None else kind.model_validate_json(message.body)


@broker.subscriber(
    f"{NAMESPACE}.events.v1",
    group_id="welcome",
    decoder=read,
    isolation_level="read_committed",  # without it, events of aborted transactions are heard too
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.NACK_ON_ERROR,  # a body that raises gets the event again
)
async def greet(event: Event | None) -> None:
    if event is None or event.sequence <= heard.get(event.user_id, 0):
        return  # not known, or heard before: after a restart some come again
    if isinstance(event, UserCreated):
        print("welcome", event.user_id, flush=True)
    heard[event.user_id] = event.sequence


if __name__ == "__main__":
    import asyncio

    asyncio.run(app.run())
