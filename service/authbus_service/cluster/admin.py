"""The admin client with types and deadlines; only this module knows aiokafka's."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    GroupCoordinatorNotAvailableError,
    KafkaConnectionError,
    NotCoordinatorForGroupError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.structs import OffsetAndMetadata

from authbus.kafka.group_offsets import group_offsets
from authbus.kafka.refusals import refusal
from authbus_service.cluster.errors import KAFKA_AWAY, ClusterError, NoAnswerError

T = TypeVar("T")

_DEADLINE_SECONDS = 15.0
_REQUEST_MS = 10_000
_PAUSE_SECONDS, _SETTLE_SECONDS = 0.1, 5.0
_SET_ON_TOPIC = 1  # Kafka's DYNAMIC_TOPIC_CONFIG
_FORMING = (
    GroupCoordinatorNotAvailableError,
    CoordinatorLoadInProgressError,
    NotCoordinatorForGroupError,
)


@dataclass(frozen=True, slots=True)
class NewlyWanted:
    """A topic to be created."""

    name: str
    partitions: int
    replicas: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Existing:
    """A topic that is there; `replicas` is the least of its partitions."""

    partitions: int
    replicas: int


@dataclass(frozen=True, slots=True)
class Setting:
    """A topic's setting as it counts now; `own` when it is set on the topic itself."""

    value: str
    own: bool


@dataclass(frozen=True, slots=True)
class Committed:
    """How far a group has read a partition, and what it has written beside that."""

    offset: int
    mark: str


class Admin:
    """One connection to a cluster. Every call ends within 15 seconds, else raises ClusterError."""

    def __init__(
        self, client: AIOKafkaAdminClient, servers: str, security: Mapping[str, Any]
    ) -> None:
        """Speak through a started client; `servers` and `security` are how it was reached."""
        self._client, self.security = client, security
        self.servers = servers

    @classmethod
    @asynccontextmanager
    async def connect(cls, servers: str, security: Mapping[str, Any]) -> AsyncGenerator[Self]:
        """A connection for the length of a block; `security` are aiokafka's keyword arguments."""
        client = AIOKafkaAdminClient(
            bootstrap_servers=servers, request_timeout_ms=_REQUEST_MS, **security
        )
        admin = cls(client, servers, security)
        try:
            await admin._ask("connect", client.start)
            yield admin
        finally:
            await client.close()

    async def describe(self) -> tuple[str, int]:
        """The cluster's id and how many brokers it has."""
        answer = await self._ask("describe the cluster", self._client.describe_cluster)
        return str(answer["cluster_id"]), len(answer["brokers"])

    async def topics(self, names: Sequence[str]) -> dict[str, Existing]:
        """Those of these topics that are there."""
        found = await self._ask("describe topics", lambda: self._client.describe_topics([*names]))
        existing: dict[str, Existing] = {}
        for topic in found:
            if topic["error_code"] == UnknownTopicOrPartitionError.errno:
                continue
            self._refuse("describe", topic["topic"], topic["error_code"], "")
            replicas = [len(each["replicas"]) for each in topic["partitions"]]
            existing[topic["topic"]] = Existing(len(replicas), min(replicas, default=0))
        return existing

    async def settings(self, names: Iterable[str]) -> dict[str, dict[str, Setting]]:
        """Every setting of these topics, all of which must exist."""
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]

        async def describe() -> list[Any]:
            until = time.monotonic() + _SETTLE_SECONDS
            while True:
                answers: list[Any] = await self._client.describe_configs(resources)
                codes = {each[0] for one in answers for each in one.resources}
                if UnknownTopicOrPartitionError.errno not in codes or time.monotonic() > until:
                    return answers
                await asyncio.sleep(_PAUSE_SECONDS)  # the broker asked may not know new ones yet

        answers = await self._ask("read settings", describe)
        found: dict[str, dict[str, Setting]] = {}
        for code, text, _, topic, entries in (each for one in answers for each in one.resources):
            self._refuse("read the settings of", topic, code, text)
            found[topic] = {
                name: Setting(value or "", source == _SET_ON_TOPIC)
                for name, value, _, source, *_ in entries
            }
        return found

    async def create(self, topics: Iterable[NewlyWanted]) -> None:
        """Create these topics; one that somebody else has just created is left as it is."""
        wanted = [
            NewTopic(each.name, each.partitions, each.replicas, topic_configs=dict(each.config))
            for each in topics
        ]

        async def create() -> object:
            await self._controller()
            return await self._client.create_topics(wanted)

        answer: Any = await self._ask("create topics", create)
        for topic, code, text in answer.topic_errors:
            if code != TopicAlreadyExistsError.errno:
                self._refuse("create", topic, code, text)

    async def delete(self, topics: Iterable[str]) -> None:
        """Delete these topics with all that is on them; one that is not there is no error."""
        names = [*topics]

        async def delete() -> object:
            await self._controller()
            return await self._client.delete_topics(names)

        answer: Any = await self._ask("delete topics", delete)
        for topic, code in answer.topic_error_codes:
            if code != UnknownTopicOrPartitionError.errno:
                self._refuse("delete", topic, code, "")

    async def set(self, topic: str, config: Mapping[str, str]) -> None:
        """Set these settings on the topic. Kafka then forgets every other setting of its own."""
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, dict(config))
        answers: list[Any] = await self._ask(
            "change settings", lambda: self._client.alter_configs([resource])
        )
        for code, text, _, name in (each for one in answers for each in one.resources):
            self._refuse("change the settings of", name, code, text)

    async def committed(self, group: str) -> dict[tuple[str, int], int]:
        """The offsets that a group has committed, by topic and partition, maybe none."""
        return {at: each.offset for at, each in (await self.marked(group)).items()}

    async def marked(self, group: str) -> dict[tuple[str, int], Committed]:
        """The same, each with what the group has written beside it."""

        async def fetch() -> dict[TopicPartition, OffsetAndMetadata]:
            while True:
                try:
                    return await group_offsets(self._client, group)
                except _FORMING:  # a cluster that is young, or just starts again
                    await asyncio.sleep(_PAUSE_SECONDS)

        found = await self._ask(f"read the offsets of group {group}", fetch)
        return {at: Committed(each.offset, each.metadata) for at, each in found.items()}

    async def members(self, group: str) -> int:
        """How many members a group has now; none for one that nobody knows."""
        answers: list[Any] = await self._ask(
            f"look at group {group}", lambda: self._client.describe_consumer_groups([group])
        )
        return sum(len(each[5]) for answer in answers for each in answer.groups)

    async def _controller(self) -> None:
        """Wait for somebody who makes topics: without one aiokafka ends with an AttributeError."""
        insides: Any = self._client
        while insides._client.cluster.controller is None:  # noqa: SLF001
            await asyncio.sleep(_PAUSE_SECONDS)  # a cluster that just starts
            await insides._client.force_metadata_update()  # noqa: SLF001

    async def _ask(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                return await call()
        except TimeoutError:
            reason: str | Exception = "no answer in time"
        except KafkaConnectionError:
            reason = "nobody answers"
        except KAFKA_AWAY as error:
            reason = error
        refused = await refusal(self.servers, self.security)
        raise NoAnswerError(what, self.servers, refused or reason)

    def _refuse(self, what: str, topic: str, code: int, text: str | None) -> None:
        if code:
            error = for_code(code)
            raise ClusterError(
                f"Kafka at {self.servers} does not let us {what} topic {topic}: "
                f"{error.__name__}{f' ({text})' if text else ''}. "
                "Give our name that right, or do it as "
                "somebody who has it"
            )
