"""What lies on the command topics, opened."""

from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from authbus_service.auth.request import Request
from authbus_service.consumers.arrival import arrival
from authbus_service.consumers.labels import read_labels
from authbus_service.consumers.opening import Opener
from authbus_service.core.clients import EMBEDDED_CLIENTS
from tests.rig.offsets import COMMANDS, ends
from tests.rig.world import World


async def opened(world: World) -> dict[Any, Request]:
    """Every command that lies on the topics, opened with the key ring alone."""
    opener = Opener(world.keyring, EMBEDDED_CLIENTS, world.namespace)
    by_suffix = {topic.suffix: topic for topic in COMMANDS}
    places = await ends(world)
    consumer = AIOKafkaConsumer(bootstrap_servers=world.servers, auto_offset_reset="earliest")
    await consumer.start()
    requests: dict[Any, Request] = {}
    try:
        partitions = {
            TopicPartition(by_suffix[suffix].name(world.namespace), partition): by_suffix[suffix]
            for suffix, partition in places
        }
        consumer.assign(list(partitions))
        for _ in range(sum(places.values())):
            record: Any = await consumer.getone()
            came = arrival(partitions[TopicPartition(record.topic, record.partition)], record)
            found = opener.open(came, read_labels(came))
            if found.command is not None:
                requests[found.sealed.id] = found.request(world.masters)
    finally:
        await consumer.stop()
    return requests
