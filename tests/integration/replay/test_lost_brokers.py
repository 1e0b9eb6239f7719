"""A broker that is lost half-way ends what an operator began; nothing waits for it for ever."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from authbus.state import Closing, DeadLetter, DeadLetterReason
from authbus.topics import CREDENTIALS, DEAD_LETTERS, EVENTS, Topic
from authbus_service.cluster import Admin, patience
from authbus_service.core import clock
from authbus_service.core.ids import new_id
from authbus_service.embedded import EmbeddedStack
from authbus_service.reading.ranges import Span, read, reader
from authbus_service.recovery.reading import Topics
from authbus_service.replay import groups
from authbus_service.replay.copying import Copy, copier
from authbus_service.replay.groups import GroupReplay
from authbus_service.replay.letters import DeadLetters, Open
from tests.rig.brokers import How, away, struck
from tests.rig.replaying import a_new_topic, has_read

pytestmark = pytest.mark.parametrize("how", ["killed", "frozen"])

Lose = Callable[[], Awaitable[None]]
# Of the command, and of its end: what is in flight is given up by then too.
PATIENCE, WITHIN = 2.0, 60
COUNT = 80
LETTER = Open(
    new_id(),
    b"id",
    DeadLetter(
        topic=CREDENTIALS.suffix,
        partition=0,
        offset=0,
        appended_at=clock.now(),
        size=0,
        digest="",
        reason=DeadLetterReason.FAILED,
    ),
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SECONDS", PATIENCE)


async def ends(stack: EmbeddedStack, how: How, work: Callable[[Lose], Awaitable[None]]) -> None:
    """It ends by itself when the broker is lost, which it says when, and says so."""
    async with AsyncExitStack() as until_it_has_ended, asyncio.timeout(WITHIN):

        async def lose() -> None:
            await until_it_has_ended.enter_async_context(away(stack, how))

        with pytest.raises(KafkaTimeoutError, match="silent"):
            await work(lose)


@pytest.fixture
async def here(stack: EmbeddedStack) -> AsyncIterator[Admin]:
    async with Admin.connect(stack.addresses.bootstrap_servers, {}) as admin:
        yield admin


async def filled(admin: Admin, topic: Topic, namespace: str) -> str:
    """Write more than is fetched ahead to a topic's first partition; returns its name."""
    name = await a_new_topic(admin, topic.name(namespace))
    async with AIOKafkaProducer(bootstrap_servers=admin.servers) as producer:
        for _ in range(COUNT):
            await producer.send(name, os.urandom(60_000), partition=0)
    return name


async def test_a_reading_ends(stack: EmbeddedStack, here: Admin, namespace: str, how: How) -> None:
    topic = await filled(here, CREDENTIALS, namespace)
    stretch = {TopicPartition(topic, 0): Span(0, COUNT)}

    async def work(lose: Lose) -> None:
        parts = 0
        async with reader(here) as consumer:
            async for _ in read(consumer, stretch):
                parts += 1
                if parts == 1:
                    await lose()

    await ends(stack, how, work)


async def test_a_copying_ends(stack: EmbeddedStack, here: Admin, namespace: str, how: How) -> None:
    name = await a_new_topic(here, f"{namespace}.copied")
    copies = [Copy(b"%d" % number, b"value", []) for number in range(10)]

    async def work(lose: Lose) -> None:
        async with copier(here, name, None, 65_536) as onto:
            assert None not in await onto.send(copies)
            await lose()
            await onto.send(copies)

    await ends(stack, how, work)


async def test_a_closing_of_dead_letters_ends(
    stack: EmbeddedStack, here: Admin, namespace: str, how: How
) -> None:
    await a_new_topic(here, DEAD_LETTERS.name(namespace))

    def letters() -> Iterator[tuple[Open, Closing, None]]:
        yield LETTER, Closing.DISCARDED, None
        struck(stack, how)
        for _ in range(COUNT):  # a signal takes its time
            yield LETTER, Closing.DISCARDED, None

    async def work(lose: Lose) -> None:
        try:
            await DeadLetters(here, namespace).close(letters())
        finally:
            await lose()

    await ends(stack, how, work)


async def test_a_moving_of_a_group_ends(
    stack: EmbeddedStack, here: Admin, namespace: str, how: How, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_new_topic(here, EVENTS.name(namespace))
    group = await has_read(here, f"billing.{namespace}", namespace)

    async def work(lose: Lose) -> None:
        @asynccontextmanager
        async def losing(admin: Admin, **more: Any) -> AsyncGenerator[AIOKafkaConsumer]:
            async with reader(admin, **more) as consumer:
                if more:
                    await lose()
                yield consumer

        monkeypatch.setattr(groups, "reader", losing)
        await GroupReplay(here, namespace).run(group, 0, dry_run=False)

    await ends(stack, how, work)


async def test_a_recovery_ends(stack: EmbeddedStack, here: Admin, namespace: str, how: How) -> None:
    await filled(here, CREDENTIALS, namespace)

    async def work(lose: Lose) -> None:
        parts = 0
        async for _ in Topics(here.servers, namespace).batches([CREDENTIALS], None):
            parts += 1
            if parts == 1:
                await lose()

    await ends(stack, how, work)
