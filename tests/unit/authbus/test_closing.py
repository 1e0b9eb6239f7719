"""Calls that wait for a key, or whose client is closed while they are on their way."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka.errors import ProducerClosed
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from authbus import AuthTimeout, AuthUnavailable, LogOut, Reply
from authbus.client.asking import Asker
from authbus.client.calls import Calls
from authbus.client.outgoing import Sender
from authbus.envelope import Header
from authbus.sealing import public_jwk
from authbus.uuid7 import uuid7

COMMAND = LogOut.model_validate({"session_id": uuid7(), "refresh_token": "r"})


class Kafka:
    """A connection, its producer and the service's keys; one of them may let its caller wait."""

    def __init__(self, waits_for: str) -> None:
        self.waits_for = waits_for
        self.asked, self.closed, self.free = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.headers = dict[str, bytes]()
        self.key = public_jwk(generate_private_key(SECP256R1()).public_key())

    def producer(self) -> "Kafka":
        return self

    async def open(self, _: object) -> None:
        """There is nothing to open."""

    async def close(self, _: object) -> None:
        self.closed.set()

    def unreachable(self, error: BaseException) -> AuthUnavailable:
        return AuthUnavailable(repr(error))

    async def sealing(self) -> Mapping[str, str]:
        if self.waits_for == "keys":
            self.asked.set()
            await self.free.wait()
        return self.key

    async def places(self, topics: Iterable[str]) -> object:
        return topics

    async def send(
        self, *_: object, headers: Sequence[Header], **__: object
    ) -> "asyncio.Future[object]":
        self.headers = dict(headers)
        self.asked.set()
        if self.waits_for == "metadata":
            await self.closed.wait()
            raise ProducerClosed
        return asyncio.get_running_loop().create_future()


async def closed_while(waits_for: str) -> "asyncio.Task[Reply]":
    """A call that was under way, waiting for this, when its client was closed."""
    kafka: Any = Kafka(waits_for)
    asker = Asker(kafka, Sender("web", "auth"), kafka, Calls())
    await asker.start([])
    asking = asker.ask(COMMAND, key="k", command_id=uuid7(), correlation_id=None, seconds=5)
    call = asyncio.create_task(asking)
    await kafka.asked.wait()
    await asyncio.sleep(0)
    await asker.stop()
    kafka.free.set()
    await asyncio.wait([call], timeout=1)
    return call


@pytest.mark.parametrize("waits_for", ["keys", "metadata"])
async def test_a_call_that_was_not_sent_when_its_client_closed_asked_nothing(
    waits_for: str,
) -> None:
    call = await closed_while(waits_for)

    assert type(call.exception()) is AuthUnavailable


async def test_a_call_that_was_sent_when_its_client_closed_may_have_had_its_effect() -> None:
    call = await closed_while("the answer")

    assert type(call.exception()) is AuthTimeout


async def test_a_command_that_waited_for_its_key_lives_no_longer_than_its_call() -> None:
    kafka: Any = Kafka("keys")
    asker = Asker(kafka, Sender("web", "auth"), kafka, Calls())
    await asker.start([])
    begun = datetime.now(UTC)
    asking = asker.ask(COMMAND, key="k", command_id=uuid7(), correlation_id=None, seconds=0.6)
    call = asyncio.create_task(asking)
    await asyncio.sleep(0.4)
    kafka.free.set()

    with pytest.raises(AuthTimeout):
        await call

    told = datetime.fromisoformat(kafka.headers["ce_expirytime"].decode())
    assert told <= begun + timedelta(seconds=0.65)
