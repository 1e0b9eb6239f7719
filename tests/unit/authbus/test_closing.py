"""Calls that wait for a key, whose client is closed, or whose sending fails, on their way."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    ProducerClosed,
    TopicAuthorizationFailedError,
)
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from authbus import AuthRejected, AuthTimeout, AuthUnavailable, Code, LogOut, Rejected, Reply
from authbus.client.asking import Asker
from authbus.client.outgoing import Sender
from authbus.client.pending import PendingCalls
from authbus.envelope import JSON_TYPE, Header
from authbus.sealing import public_jwk
from authbus.uuid7 import uuid7
from tests.unit.authbus.records import a_record

COMMAND = LogOut.model_validate({"session_id": uuid7(), "refresh_token": "r"})


class Kafka:
    """A connection, its producer and the service's keys; one of them may let its caller wait."""

    def __init__(self, waits_for: str) -> None:
        self.waits_for = waits_for
        self.asked, self.closed, self.free = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.headers = dict[str, bytes]()
        self.refusal: KafkaError | None = None
        self.sent, self.values = list[asyncio.Future[object]](), set[object]()
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
        self, *_: object, headers: Sequence[Header], value: bytes, **__: object
    ) -> "asyncio.Future[object]":
        self.headers = dict(headers)
        self.asked.set()
        if self.waits_for == "metadata":
            await self.closed.wait()
            raise ProducerClosed
        if self.refusal is not None:
            raise self.refusal
        self.values.add(value)
        self.sent.append(asyncio.get_running_loop().create_future())
        return self.sent[-1]


async def closed_while(waits_for: str) -> "asyncio.Task[Reply]":
    """A call that was under way, waiting for this, when its client was closed."""
    kafka: Any = Kafka(waits_for)
    asker = Asker(kafka, Sender("web", "auth"), kafka, PendingCalls())
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
    asker = Asker(kafka, Sender("web", "auth"), kafka, PendingCalls())
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


class Sent:
    """A call whose record has been given to its producer."""

    async def begin(self) -> "Sent":
        self.calls, self.kafka = PendingCalls(), Kafka("the answer")
        insides: Any = self.kafka
        self.asker = Asker(insides, Sender("web", "auth"), insides, self.calls)
        await self.asker.start([])
        asking = self.asker.ask(
            COMMAND, key="k", command_id=uuid7(), correlation_id=None, seconds=3
        )
        self.call = asyncio.create_task(asking)
        await self.again(1)
        return self

    async def again(self, times: int) -> None:
        """Wait until it was sent so often."""
        async with asyncio.timeout(2):
            while len(self.kafka.sent) < times:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.001)

    def answer(self, code: Code) -> None:
        kind, correlation = Rejected.wire_type().encode(), self.kafka.headers["correlation_id"]
        headers = [("ce_type", kind), ("correlation_id", correlation)]
        headers.append(("content-type", JSON_TYPE.encode()))
        value = Rejected.because(code).model_dump_json().encode()
        self.calls.read(a_record(value, headers=headers))

    async def end(self) -> BaseException | None:
        await asyncio.wait([self.call], timeout=4)
        await self.asker.stop()
        return self.call.exception()


@pytest.mark.parametrize("before", [KafkaTimeoutError(), None])
async def test_a_command_whose_sending_failed_is_sent_again_until_it_is_answered(
    before: KafkaError | None,
) -> None:
    sent = await Sent().begin()
    for times in (1, 2):
        sent.kafka.refusal = before
        sent.kafka.sent[-1].set_exception(KafkaConnectionError())
        await asyncio.sleep(0.06)
        sent.kafka.refusal = None
        await sent.again(times + 1)
    sent.answer(Code.INVALID_CREDENTIALS)

    error = await sent.end()
    assert isinstance(error, AuthRejected)
    assert (error.code, len(sent.kafka.values)) == (Code.INVALID_CREDENTIALS, 1)


async def test_an_answer_to_a_record_that_only_seemed_lost_is_taken_and_nothing_sent_again() -> (
    None
):
    sent = await Sent().begin()
    sent.kafka.sent[0].set_exception(KafkaConnectionError())
    await asyncio.sleep(0.005)
    sent.answer(Code.INVALID_CREDENTIALS)

    assert isinstance(await sent.end(), AuthRejected)
    assert len(sent.kafka.sent) == 1


async def test_a_first_copy_for_which_there_is_no_right_asked_nothing() -> None:
    sent = await Sent().begin()
    sent.kafka.sent[0].set_exception(TopicAuthorizationFailedError())

    assert type(await sent.end()) is AuthUnavailable


@pytest.mark.parametrize("busy", [True, False])
@pytest.mark.parametrize("then", ["refused", "refused later", "closed"])
async def test_whoever_asked_once_is_never_told_that_nothing_was_asked(
    then: str, *, busy: bool
) -> None:
    sent = await Sent().begin()
    if then == "refused":
        sent.kafka.refusal = TopicAuthorizationFailedError()
    if busy:
        sent.answer(Code.BUSY)
    else:
        sent.kafka.sent[0].set_exception(KafkaConnectionError())
    await asyncio.sleep(0.005)
    if then == "closed":
        await sent.asker.stop()
    elif then == "refused later":
        await sent.again(2)
        sent.kafka.sent[1].set_exception(TopicAuthorizationFailedError())

    assert type(await sent.end()) is AuthTimeout
