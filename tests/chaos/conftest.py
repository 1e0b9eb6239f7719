"""One broker behind a proxy for each module; a fresh proxy for each test."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.chaos.probe import Client, Topic
from tests.chaos.proxy import Proxy
from tests.chaos.rig import ProxiedListener, proxied_listener
from tests.chaos.wire import Api


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listener() -> AsyncIterator[ProxiedListener]:
    plan = proxied_listener()
    async with plan.stack():
        yield plan


@pytest_asyncio.fixture(loop_scope="module")
async def proxy(listener: ProxiedListener) -> AsyncIterator[Proxy]:
    async with listener.proxy() as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def topic(listener: ProxiedListener, proxy: Proxy) -> Topic:
    name = f"probe-{uuid4()}"
    admin = AIOKafkaAdminClient(bootstrap_servers=listener.direct)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()
    watch = proxy.delay(0.0, Api.PRODUCE)
    async with AIOKafkaProducer(
        bootstrap_servers=listener.proxied, client_id="maker", acks=1
    ) as producer:
        await producer.send_and_wait(name, b"first")
    proxy.calm()
    proxy.counts.clear()
    return Topic(listener, watch.requests[0].frame, name)


@pytest_asyncio.fixture(loop_scope="module")
async def client(proxy: Proxy) -> AsyncIterator[Client]:
    one = await Client.connect(proxy)
    yield one
    one.writer.close()
