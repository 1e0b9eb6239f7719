"""Users on the events' and the states' topics, written as the relay writes them, and compacted."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from authbus import topics
from authbus.envelope import cloud_event
from authbus.events import EndReason, ProfileUpdated, SessionEnded, UserCreated, UserErased
from authbus.kafka.following import Record
from authbus.message import Event
from authbus.profile import ProfileField
from authbus.state import UserState, UserStatus
from authbus.topics import Topic
from tests.integration.client.stand_in import PARTITIONS, StandIn

# Segments of a moment, cleaned at once; a tombstone is gone with the second visit of the cleaner.
HASTY = replace(
    topics.USERS_STATE,
    config={
        "cleanup.policy": "compact",
        "segment.ms": "50",
        "min.cleanable.dirty.ratio": "0.001",
        "delete.retention.ms": "0",
        "max.compaction.lag.ms": "100",
    },
)


@dataclass
class Crowd:
    """Some users. `alive` are their sequences, `gone` the erased; `told` is every event by user."""

    service: StandIn
    producer: AIOKafkaProducer
    chance: random.Random = field(default_factory=random.Random)
    alive: dict[UUID, int] = field(default_factory=dict[UUID, int])
    gone: set[UUID] = field(default_factory=set[UUID])
    told: dict[UUID, int] = field(default_factory=dict[UUID, int])
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def join(self) -> UUID:
        """A new user."""
        user_id = uuid4()
        await self.commit((user_id, UserCreated))
        return user_id

    async def change(self, user_id: UUID) -> None:
        """An event that changes the public user."""
        await self.commit((user_id, ProfileUpdated))

    async def meet(self, user_id: UUID) -> None:
        """An event that changes no state."""
        await self.commit((user_id, SessionEnded))

    async def erase(self, user_id: UUID) -> None:
        """The user's last event, and a tombstone."""
        await self.commit((user_id, UserErased))

    async def commit(self, *changes: tuple[UUID, type[Event]]) -> dict[UUID, int]:
        """These in one Kafka transaction, each state before its event; who is alive after it."""
        async with self.lock:
            await self.producer.begin_transaction()
            sent = [each for change in changes for each in await self._sent(*change)]
            await asyncio.gather(*sent)
            await self.producer.commit_transaction()
            return dict(self.alive)

    async def mark(self) -> tuple[set[UUID], dict[UUID, int]]:
        """New users, one in each partition at least; and who is alive at this moment."""
        marks = [uuid4() for _ in range(16)]
        return set(marks), await self.commit(*((user_id, UserCreated) for user_id in marks))

    async def _sent(self, user_id: UUID, kind: type[Event]) -> list["asyncio.Future[object]"]:
        sequence = self.told.get(user_id, 0) + 1
        self.told[user_id] = self.alive[user_id] = sequence
        sent: list[asyncio.Future[object]] = []
        if kind is UserErased:
            del self.alive[user_id]
            self.gone.add(user_id)
            sent.append(await self._send(topics.USERS_STATE, user_id, None))
        elif kind is not SessionEnded:
            state = json.dumps(a_state(user_id, sequence).to_json()).encode()
            sent.append(await self._send(topics.USERS_STATE, user_id, state))
        event = an_event(kind, user_id, sequence)
        value = json.dumps(event.to_json()).encode()
        sent.append(await self._send(topics.EVENTS, user_id, value, event.wire_type()))
        return sent

    async def dawdle(self) -> None:
        """Now and then be slow."""
        if self.chance.random() < 0.2:
            await asyncio.sleep(self.chance.choice([0, 0.005, 0.02]))

    async def live(self, most: int) -> None:
        """Change, meet, join and erase at random, for ever; about so many users at a time."""
        while True:
            changes = dict(self._whim(most) for _ in range(self.chance.randint(1, 4)))
            await self.commit(*changes.items())
            await asyncio.sleep(self.chance.choice([0, 0, 0.002, 0.01]))

    def _whim(self, most: int) -> tuple[UUID, type[Event]]:
        if not self.alive or self.chance.random() < (0.5 if len(self.alive) < most else 0.02):
            return uuid4(), UserCreated
        kinds = [ProfileUpdated] * 5 + [SessionEnded] * 3 + [UserErased] * 2
        return self.chance.choice([*self.alive]), self.chance.choice(kinds)

    async def _send(
        self, topic: Topic, user_id: UUID, value: bytes | None, kind: str = "authbus.UserState.v1"
    ) -> "asyncio.Future[object]":
        headers = cloud_event(id=uuid4(), type=kind, source="/authbus", time=datetime.now(UTC))
        return await self.producer.send(
            self.service.name(topic), value, key=str(user_id).encode(), headers=headers
        )

    async def until_compacted(self) -> None:
        """Wait until the cleaner has taken away all that is replaced or erased by now."""
        old = {(each.partition, each.offset) for each in _replaced(await self.states())}
        async with asyncio.timeout(30):
            while old & {(each.partition, each.offset) for each in await self.states()}:
                # What was written last is never cleaned, so something must follow.
                await self.commit(*((uuid4(), UserErased) for _ in range(8)))
                await asyncio.sleep(0.1)

    async def states(self) -> Sequence[Record]:
        """What the state topic still holds."""
        return await everything(self.service, topics.USERS_STATE)


def _replaced(records: Sequence[Record]) -> list[Record]:
    last = {each.key: each for each in records}
    return [each for each in records if last[each.key] is not each or each.value is None]


def a_state(user_id: UUID, sequence: int) -> UserState:
    return UserState(
        user_id=user_id,
        sequence=sequence,
        email=f"{user_id}@example.com",
        status=UserStatus.ACTIVE,
    )


def an_event(kind: type[Event], user_id: UUID, sequence: int) -> Event:
    common = {
        "user_id": user_id,
        "sequence": sequence,
        "actor": f"user:{user_id}",
        "causation_id": uuid4(),
    }
    extra: dict[type[Event], dict[str, Any]] = {
        ProfileUpdated: {"fields": (ProfileField.LOCALE,), "profile_version": sequence},
        SessionEnded: {"session_id": uuid4(), "reason": EndReason.LOGOUT},
    }
    return kind.model_validate({**common, **extra.get(kind, {})})


async def everything(service: StandIn, topic: Topic) -> list[Record]:
    """What a topic holds up to its end."""
    async with AIOKafkaConsumer(
        bootstrap_servers=service.servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    ) as consumer:
        places = [
            TopicPartition(service.name(topic), each) for each in range(PARTITIONS[topic.suffix])
        ]
        consumer.assign(places)
        found: list[Record] = []
        for place, end in (await consumer.end_offsets(places)).items():
            while await consumer.position(place) < end:
                found += (await consumer.getmany(place, timeout_ms=50)).get(place, [])
        return found


async def hurry_the_cleaner(servers: str) -> None:
    """Let the broker's cleaner look for work ten times a second, not every 15 seconds."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        setting = {"log.cleaner.backoff.ms": "100"}
        answers: list[Any] = await admin.alter_configs(
            [ConfigResource(ConfigResourceType.BROKER, "1", setting)]
        )
        assert {code for answer in answers for code, *_ in answer.resources} == {0}
    finally:
        await admin.close()


@asynccontextmanager
async def a_crowd(
    service: StandIn, states: Topic = topics.USERS_STATE, *, seed: int = 0
) -> AsyncGenerator[Crowd]:
    """Nobody yet, on a state topic of this kind."""
    await service.make_topics([states])
    async with AIOKafkaProducer(
        bootstrap_servers=service.servers, transactional_id=f"{service.namespace}.crowd"
    ) as producer:
        yield Crowd(service, producer, random.Random(seed))
