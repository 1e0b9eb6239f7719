"""How a client speaks to Kafka."""

# pyright: reportPrivateUsage=false, reportUnknownVariableType=false

from authbus.connection import _BATCH, Connection
from authbus.topics import COMMAND_TOPICS


async def test_a_full_batch_of_commands_is_one_that_their_topics_take() -> None:
    producer = Connection("localhost:1", "web").producer()
    size = producer._message_accumulator._batch_size
    await producer.stop()

    assert size == _BATCH > 16 * 1024
    assert {int(topic.config["max.message.bytes"]) > size for topic in COMMAND_TOPICS} == {True}
