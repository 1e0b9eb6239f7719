"""What a principal may do on a topic, found out by doing it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Literal, get_args

from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    PolicyViolationError,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.admin import CreatePartitionsRequest, DeleteRecordsRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from authbus.kafka.security import Security

Doing = Literal["read", "write", "describe", "alter", "delete"]
DOINGS: tuple[Doing, ...] = get_args(Doing)
_REFUSED = TopicAuthorizationFailedError.errno
_ONLY_COMPACTED = PolicyViolationError.errno


class Trier:
    """One principal's connection."""

    def __init__(self, client: AIOKafkaClient) -> None:
        self._client = client

    async def may(self, topic: str, doing: Doing) -> bool:
        """Do it on partition 0; False when Kafka says that we have no right to."""
        code = await getattr(self, f"_{doing}")(topic)
        assert code in {0, _REFUSED}, (topic, doing, code)
        return code != _REFUSED

    async def _read(self, topic: str) -> int:
        answer = await self._send(FetchRequest(0, 0, 1024, 0, [(topic, [(0, 0, 1024)])]))
        ((_, ((_, code, *_),)),) = answer.topics
        return 0 if code == 1 else code  # 1: nothing is kept of that offset any more

    async def _write(self, topic: str) -> int:
        batch = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1024)
        batch.append(0, 1000, b"tried", None, [])
        answer = await self._send(
            ProduceRequest(None, 1, 5000, [(topic, [(0, bytes(batch.build()))])])
        )
        ((_, ((_, code, *_),)),) = answer.topics
        return code

    async def _describe(self, topic: str) -> int:
        answer = await self._send(MetadataRequest([topic], False))
        (found,) = answer.topics
        return found[0]

    async def _alter(self, topic: str) -> int:
        wanted: Any = (99, None)
        answer = await self._send(CreatePartitionsRequest([(topic, wanted)], 5000, True))
        ((_, code, _),) = answer.topic_errors
        return code

    async def _delete(self, topic: str) -> int:
        """Every record before the first one."""
        answer = await self._send(DeleteRecordsRequest([(topic, [(0, 0)])], 5000))
        ((_, ((_, _, code, *_),), *_),) = answer.topics
        return 0 if code == _ONLY_COMPACTED else code

    async def _send(self, request: Any) -> Any:
        return await self._client.send(self._client.get_random_node(), request)


@asynccontextmanager
async def trying(servers: str, security: Security) -> AsyncGenerator[Trier]:
    client = AIOKafkaClient(bootstrap_servers=servers, **security.arguments(servers))
    async with asyncio.timeout(10):
        await client.bootstrap()
    try:
        yield Trier(client)
    finally:
        await client.close()


async def is_refused_group(servers: str, security: Security, group: str, topic: str) -> bool:
    """Whether this principal may not join a group, to read this topic."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers,
        group_id=group,
        enable_auto_commit=False,
        **security.arguments(servers),
    )
    try:
        await consumer.start()
        consumer.subscribe([topic])
        await consumer.getmany(timeout_ms=100)
    except GroupAuthorizationFailedError:
        return True
    finally:
        await consumer.stop()
    return False
