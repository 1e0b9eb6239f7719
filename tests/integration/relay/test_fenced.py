"""A relay whose producer was fenced says so once, and asyncio complains of nothing."""

import asyncio
import gc
from typing import Any

import pytest

from authbus.topics import EVENTS
from authbus_service.relay.errors import OutcomeUnknownError
from authbus_service.relay.producer import Outgoing, TransactionalProducer
from tests.integration.relay.world import World

# Of the larger ones each is a batch of its own, and waits until the one before was sent.
SIZES = {"in one batch": 10, "in many batches": 200_000}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
async def test_what_was_to_be_said_by_a_fenced_producer_leaves_no_error_that_nobody_sees(
    world: World, size: int
) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    topic = EVENTS.name(world.namespace)
    first, second = (
        TransactionalProducer(
            {"bootstrap_servers": world.servers},
            transactional_id=f"fenced.{world.namespace}",
            deadline=10,
        )
        for _ in range(2)
    )
    await first.open()
    await second.open()

    with pytest.raises(OutcomeUnknownError, match="Fenced"):
        await first.publish([Outgoing(topic, b"%d" % each, bytes(size)) for each in range(20)])
    await second.close()
    gc.collect()
    await asyncio.sleep(0)

    assert complaints == []
