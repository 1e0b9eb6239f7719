"""Why the relay may never go on with a producer that lost an answer, shown without its guard.

When this test fails, aiokafka has learnt to bump the epoch with each transaction (KIP-890), and the
relay's way may become simpler.
"""

import asyncio
from contextlib import suppress
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from tests.chaos.proxy import Proxy
from tests.chaos.rig import ProxiedListener
from tests.chaos.wire import Api

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(30)]


async def committed(bootstrap: str, topic: str) -> list[bytes | None]:
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    ) as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        values: list[bytes | None] = []
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=20)).values():
                values += [record.value for record in records]
        return values


async def test_a_late_end_commits_a_transaction_that_is_aborted(
    listener: ProxiedListener, proxy: Proxy
) -> None:
    topic = f"late-{uuid4()}"
    admin = AIOKafkaAdminClient(bootstrap_servers=listener.direct)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=listener.proxied, transactional_id=topic)
    await producer.start()
    end = proxy.hold(Api.END_TXN)

    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"whole")
    commit = asyncio.create_task(producer.commit_transaction())
    await end.caught()
    proxy.cut()
    await commit
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"aborted")
    end.release()
    await end.answered()
    with suppress(KafkaError):
        await producer.abort_transaction()
    await producer.stop()

    assert await committed(listener.direct, topic) == [b"whole", b"aborted"]
