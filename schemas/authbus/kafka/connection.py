"""The way to Kafka: addresses, rights, and the question whether what is needed is there."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from authbus.errors import AuthUnavailable, MissingTopic
from authbus.kafka.group_offsets import group_offsets, heed_group
from authbus.kafka.guarding import guard
from authbus.kafka.leaders import heed_leaders
from authbus.kafka.refusals import refusal
from authbus.kafka.security import Security
from authbus.kafka.stopping import stop

Places = Mapping[str, frozenset[int]]
# Command topics take batches of 64 KiB. Whoever finds one full waits for it with all the others,
# and all of them look again when it has gone: in batches of aiokafka's 16 KiB thousands of calls
# at once cost their caller twice as much.
_BATCH = 60 * 1024
_WAIT_MS = 500
_LOOK_MS = 300_000
# Kafka answers a poll within that time. A connection on which it is silent for longer than this
# is lost, as one is that a network passes one way only, and another one is made.
SILENCE_MS = 6_000

Isolation = Literal["read_committed", "read_uncommitted"]


@dataclass(frozen=True, slots=True)
class Connection:
    """Where Kafka is and how it is spoken to. `patience`: seconds for a connection or a stop.

    Raises InsecureConnectionError and OSError as `Security.arguments` does.
    """

    bootstrap_servers: str | Sequence[str]
    client_id: str
    security: Security | None = field(default=None, repr=False)
    patience: float = 15.0
    _arguments: Mapping[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        known = (self.security or Security()).arguments(self.bootstrap_servers)
        object.__setattr__(self, "_arguments", known)

    def consumer(
        self,
        group: str | None = None,
        *,
        isolation: Isolation = "read_committed",
        wait_ms: int = _WAIT_MS,
        look_ms: int = _LOOK_MS,
    ) -> AIOKafkaConsumer:
        """A consumer of committed records from the beginning, which commits nothing by itself.

        Where there is nothing new Kafka answers after `wait_ms`. Every `look_ms` it is asked which
        partitions there are.
        """
        return AIOKafkaConsumer(
            **self._common(),
            group_id=group,
            enable_auto_commit=False,
            isolation_level=isolation,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=wait_ms,
            request_timeout_ms=SILENCE_MS,
            metadata_max_age_ms=look_ms,
        )

    def producer(self) -> AIOKafkaProducer:
        """A producer that knows its records to be safe.

        It is not idempotent: the service drops what arrives twice, and an idempotent producer of
        aiokafka has to be made anew after some losses of a broker. What was not sent in the time
        in which a connection counts as lost is given up: whoever sends has to send it again.
        """
        return AIOKafkaProducer(
            **self._common(),
            acks="all",
            max_batch_size=_BATCH,
            request_timeout_ms=min(SILENCE_MS, int(self.patience * 1000)),
        )

    async def places(self, topics: Iterable[str]) -> Places:
        """The partitions of these topics. Raises MissingTopic and AuthUnavailable.

        Asks for all topics: a request that names them would create them on some clusters.
        """
        client = AIOKafkaClient(**self._common())
        try:
            async with asyncio.timeout(self.patience):
                await client.bootstrap()
                cluster = await client.fetch_all_metadata()
        except (KafkaError, OSError) as error:
            reason = await refusal(self.bootstrap_servers, self._arguments)
            raise self.unreachable(reason or error) from error
        finally:
            await client.close()
        found = {topic: frozenset(cluster.partitions_for_topic(topic) or ()) for topic in topics}
        missing = [topic for topic, partitions in found.items() if not partitions]
        if missing:
            raise MissingTopic(missing)
        return found

    async def committed(
        self, group: str, places: Iterable[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, str]]:
        """How far a group is in these partitions and what it wrote beside; -1: it never was."""
        admin = AIOKafkaAdminClient(**self._common())
        try:
            await admin.start()
            found = await group_offsets(admin, group, places)
        finally:
            await admin.close()
        return {at: (kept.offset, kept.metadata) for at, kept in found.items()}

    async def open(self, end: AIOKafkaConsumer | AIOKafkaProducer) -> None:
        """Start one end of the line, or raise AuthUnavailable and leave nothing running."""
        try:
            async with asyncio.timeout(self.patience):
                await end.start()
                if not isinstance(end, AIOKafkaProducer):
                    guard(end)
                    heed_group(end)
                    heed_leaders(end)
        except (KafkaError, OSError) as error:
            await self.close(end)
            raise self.unreachable(error) from error
        except BaseException:
            await self.close(end)
            raise

    async def close(self, end: AIOKafkaConsumer | AIOKafkaProducer) -> None:
        """Stop one end of the line; a Kafka that does not answer cannot hold it."""
        await stop(end, within=self.patience + 1)

    def unreachable(self, error: BaseException | str) -> AuthUnavailable:
        """What to tell of an error of Kafka's."""
        told = str(error) or type(error).__name__
        return AuthUnavailable(f"Kafka at {self.bootstrap_servers}: {told}")

    def _common(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "client_id": self.client_id,
            **self._arguments,
        }
