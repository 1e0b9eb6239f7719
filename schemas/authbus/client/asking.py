"""Asking: seal, send, wait for the answer; again while the service is busy or Kafka is away."""

import asyncio
import logging
import random
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidTopicError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)

from authbus.client.outgoing import Sender
from authbus.client.pending import PendingCall, PendingCalls
from authbus.errors import AuthError, AuthRejected, AuthTimeout, AuthUnavailable
from authbus.kafka.connection import Connection
from authbus.message import Command, Reply
from authbus.public_keys import PublicKeys
from authbus.replies import Rejected

_LOG = logging.getLogger("authbus")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
# After these the record is certainly not on its topic; after any other it may be.
_NOT_SENT = (
    ClusterAuthorizationFailedError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)


class Asker:
    """One producer for all calls of a client."""

    def __init__(
        self, connection: Connection, sender: Sender, keys: PublicKeys, pending: PendingCalls
    ) -> None:
        self._connection = connection
        self._sender = sender
        self._keys = keys
        self._pending = pending
        self._producer: AIOKafkaProducer | None = None
        self._seen: set[str] = set()

    async def start(self, seen: Iterable[str]) -> None:
        """Connect; the topics in `seen` are known to be there. Raises AuthUnavailable."""
        self._seen = set(seen)
        producer = self._connection.producer()
        await self._connection.open(producer)
        self._producer = producer

    async def stop(self) -> None:
        """End the calls that wait, send what is on its way, disconnect."""
        producer, self._producer = self._producer, None
        self._pending.close()
        if producer is not None:
            await self._connection.close(producer)

    async def ask(
        self,
        command: Command,
        *,
        key: str,
        command_id: UUID,
        correlation_id: str | None,
        seconds: float,
    ) -> Reply:
        """The answer to a command, which is not a refusal.

        Raises AuthRejected, also for what no record can hold, AuthTimeout, AuthUnavailable, and
        MissingTopic when its topic is not to be seen.
        """
        self._open_producer()
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                sealing_key = await self._keys.sealing()
        except TimeoutError:
            raise AuthUnavailable(self._keys.absence()) from None
        outgoing = self._sender.outgoing(
            command,
            key=key,
            command_id=command_id,
            correlation_id=correlation_id,
            # Nobody waits for longer, however long the key was waited for.
            life=timedelta(seconds=deadline - asyncio.get_running_loop().time()),
            sealing_key=sealing_key,
        )
        if outgoing.topic not in self._seen:
            await self._look_for(outgoing.topic, deadline)
        with self._pending.waiting(outgoing) as call:
            try:
                async with asyncio.timeout_at(deadline):
                    return await self._answered(call, deadline)
            except TimeoutError:
                raise AuthTimeout(command_id) from None

    async def _look_for(self, topic: str, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await self._connection.places([topic])
        except TimeoutError:
            raise self._connection.unreachable(
                f"it did not tell in time whether {topic} is there. Ask again"
            ) from None
        self._seen.add(topic)

    async def _answered(self, call: PendingCall, deadline: float) -> Reply:
        for pause in _pauses():
            reply = await self._tried(call, pause)
            if reply is None:
                continue
            if not isinstance(reply, Rejected):
                return reply
            if not reply.retryable or asyncio.get_running_loop().time() + pause >= deadline:
                raise AuthRejected(
                    reply.code,
                    reply.detail,
                    retryable=reply.retryable,
                    command_id=call.outgoing.command_id,
                )
            await asyncio.sleep(pause)
            call.again()
        raise AssertionError("pauses never end")

    async def _tried(self, call: PendingCall, pause: float) -> Reply | None:
        """The answer to the record, sent once more; None when it is to be sent again."""
        await self._send(call)
        reply = await call.answer()
        if reply is None:
            # It may have come all the same, and its answer be on the way.
            reply = await call.late_answer(pause)
        return reply

    def _open_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise AuthUnavailable("this client is not open: use it in `async with`")
        return self._producer

    async def _send(self, call: PendingCall) -> None:
        record = call.outgoing
        if self._producer is None and call.was_asked:
            raise AuthTimeout(record.command_id)
        producer = self._open_producer()
        try:
            sent = await producer.send(
                record.topic, value=record.value, key=record.key, headers=record.headers
            )
        except KafkaError as error:
            if not error.retriable and not isinstance(error, KafkaTimeoutError):
                raise self._not_sent(call, error) from error
            _LOG.warning("sending a command failed, it is tried again: %r", error)
            call.lose()
        else:
            sent.add_done_callback(partial(self._note, call))

    def _note(self, call: PendingCall, sent: "asyncio.Future[Any]") -> None:
        error = None if sent.cancelled() else sent.exception()
        if isinstance(error, _NOT_SENT):
            call.fail(self._not_sent(call, error))
            return
        call.was_asked = True
        if error is not None:
            _LOG.warning("sending a command failed, its outcome is unknown: %r", error)
            call.lose()

    def _not_sent(self, call: PendingCall, error: BaseException) -> AuthError:
        topic = call.outgoing.topic
        if call.was_asked:
            return AuthTimeout(call.outgoing.command_id)
        match error:
            case TopicAuthorizationFailedError() | ClusterAuthorizationFailedError():
                return AuthUnavailable(
                    f"no right to write to {topic}: allow this client's Kafka principal WRITE on it"
                )
            case MessageSizeTooLargeError():
                return AuthError(f"the command is larger than {topic} takes")
            case _:
                return self._connection.unreachable(error)


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE
    while True:
        yield random.uniform(pause / 2, pause)  # noqa: S311 - spreads load, guards nothing
        pause = min(pause * 2, _LONGEST_PAUSE)
