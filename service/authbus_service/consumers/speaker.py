"""Says answers (tried once) and dead letters (tried until they stand) by one plain producer."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from authbus.envelope import own_headers
from authbus.state import DeadLetter, DeadLetterReason
from authbus.topics import DEAD_LETTERS
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.route import Saying
from authbus_service.core import clock
from authbus_service.core.ids import new_id
from authbus_service.core.logging import get_logger
from authbus_service.core.metrics import Metrics, Stage
from authbus_service.core.watch import Watch

_REPLY_SECONDS = 2.0
_AGAIN_SECONDS = 1.0

_log = get_logger(__name__)


class Speaker:
    """The service's own producer beside the relay's. Start it before use, stop it after."""

    def __init__(
        self,
        namespace: str,
        bootstrap_servers: str,
        security: Mapping[str, Any],
        watch: Watch | None = None,
    ) -> None:
        """Nothing is connected yet. `security` are aiokafka's keyword arguments."""
        self._watch = watch or Watch(Metrics())
        self._namespace = namespace
        self._client: dict[str, Any] = {"bootstrap_servers": bootstrap_servers, **security}
        self._producer: AIOKafkaProducer | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Connect.

        The producer is not idempotent: what it says twice is the same, and an idempotent one of
        aiokafka that has lost a record on the way says nothing more to that partition.
        """
        self._producer = AIOKafkaProducer(
            **self._client,
            acks="all",
            # An answer waits no longer, so neither does the connection that is silent about it.
            request_timeout_ms=int(_REPLY_SECONDS * 1000),
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Let what is under way go out, then disconnect."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_REPLY_SECONDS)
        if self._producer is not None:
            await self._producer.stop()

    def answer(self, saying: Saying | None) -> None:
        """Send an answer in the background. One that fails is lost: the asker sends again."""
        if saying is not None:
            self._begin(saying)

    async def answered(self, saying: Saying | None) -> None:
        """Send an answer and wait until it has gone out, or is lost.

        For those that cost nothing: nothing else would bound how many are under way.
        """
        if saying is not None:
            await self._begin(saying)

    async def bury(
        self, arrival: Arrival, reason: DeadLetterReason, command_id: str | None
    ) -> None:
        """Write a dead letter: where the record lies and why, nothing of what it holds.

        Returns when the letter stands; the record's offset waits for that.
        """
        self._watch.metrics.dead_letters.add(reason)
        _log.warning("dead letter", reason=reason, place=arrival.place, offset=arrival.offset)
        letter = self._dead(arrival, reason, command_id, clock.now())
        while True:
            try:
                await self._send(letter)
            except (KafkaError, TimeoutError) as error:
                self._watch.tries += 1
                _log.warning("dead letter waits", error=type(error).__name__)
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                return

    def _dead(
        self, arrival: Arrival, reason: DeadLetterReason, command_id: str | None, at: datetime
    ) -> Saying:
        topic, partition = arrival.place
        dead = DeadLetter(
            topic=topic,
            partition=partition,
            offset=arrival.offset,
            first_offset=arrival.first_offset,
            appended_at=arrival.appended_at,
            size=arrival.size,
            digest=arrival.digest.hex(),
            reason=reason,
        )
        key = command_id or f"{topic}/{partition}/{arrival.offset}"
        headers = own_headers(dead.wire_type(), id=new_id(), time=at, subject=key)
        topic_name = DEAD_LETTERS.name(self._namespace)
        return Saying(topic_name, None, key.encode(), dead.to_bytes(), headers)

    def _begin(self, saying: Saying) -> asyncio.Task[None]:
        task = asyncio.create_task(self._try(saying))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _try(self, saying: Saying) -> None:
        try:
            with self._watch.stage(Stage.REPLY):
                await self._send(saying)
        except (KafkaError, TimeoutError) as error:
            self._watch.metrics.lost_replies.add()
            _log.warning("reply lost", topic=saying.topic, error=type(error).__name__)

    async def _send(self, saying: Saying) -> None:
        if self._producer is None:
            raise RuntimeError("not started")
        partition = saying.partition
        async with asyncio.timeout(_REPLY_SECONDS):
            if partition is not None:
                there = await self._producer.partitions_for(saying.topic)
                # Whoever asked for another one reads them all, or reads nothing anyway.
                partition = partition if partition in there else None
            sent = await self._producer.send(
                saying.topic,
                saying.value,
                key=saying.key,
                partition=partition,
                headers=saying.headers,
            )
            await sent
