"""How a client speaks to Kafka."""

# pyright: reportPrivateUsage=false, reportUnknownVariableType=false

import pytest

from authbus.kafka.connection import _BATCH, SILENCE_MS, Connection
from authbus.topics import COMMAND_TOPICS


async def test_a_full_batch_of_commands_is_one_that_their_topics_take() -> None:
    producer = Connection("localhost:1", "web").producer()
    size = producer._message_accumulator._batch_size
    await producer.stop()

    assert size == _BATCH > 16 * 1024
    assert {int(topic.config["max.message.bytes"]) > size for topic in COMMAND_TOPICS} == {True}


@pytest.mark.parametrize(("patience", "expected"), [(15, SILENCE_MS), (2, 2_000)])
async def test_a_producer_takes_a_silent_connection_for_lost_as_soon_as_a_consumer(
    patience: float, expected: int
) -> None:
    producer = Connection("localhost:1", "web", patience=patience).producer()
    silence = producer._request_timeout_ms
    await producer.stop()

    assert silence == expected
