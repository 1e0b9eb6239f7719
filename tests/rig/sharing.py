"""Two processes' consumers that share the partitions."""

# pyright: reportPrivateUsage=false

from authbus_service.consumers.service import Consumers
from tests.rig.crowd import until


def owned(consumers: Consumers) -> set[int]:
    """The partitions of the credentials topic that this process reads."""
    consumer = consumers._intakes[0]._subscriber.consumer
    return {each.partition for each in consumer.assignment()}


async def shared(first: Consumers, second: Consumers) -> tuple[int, int]:
    """Wait until both have a share; returns a partition of each."""
    await until(
        lambda: len(owned(first)) == len(owned(second)) == 1 and not owned(first) & owned(second),
        within=30,
    )
    return min(owned(first)), min(owned(second))
