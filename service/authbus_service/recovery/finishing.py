"""What is left when all events are applied: addresses, what was said already, where to go on."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError
from sqlalchemy import select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.topics import EVENTS, SESSIONS_ENDED, USERS_STATE, Topic
from authbus_service.core.ids import new_id
from authbus_service.core.installation import Installation
from authbus_service.inbox import fence
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.models import OutboxRow
from authbus_service.outbox.repository import Said, Waiting
from authbus_service.recovery.reading import Place, Topics

_WITH_EVENTS = (USERS_STATE.suffix, SESSIONS_ENDED.suffix)
_MOST_WAITING = 1_000_000
# Longer than a consumer's session.
_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.5


class GroupInUseError(RuntimeError):
    """A service still runs: Kafka lets nobody else move its group."""

    def __init__(self, group: str) -> None:
        """The cure is to stop it; what was recovered stays."""
        super().__init__(
            f"the group {group} still has members. Stop every service, then run: authbus recover"
        )


async def waiting(db: AsyncConnection) -> frozenset[UUID]:
    """The ids of the rows that wait in the outbox."""
    return frozenset(await db.scalars(select(OutboxRow.id)))


async def forget_said(db: AsyncConnection, said: Collection[UUID]) -> int:
    """Delete the rows of the outbox whose events are on their topic; returns how many."""
    if not said:
        return 0
    rows = await outbox.oldest(db, _MOST_WAITING)
    gone = list(_said_before(rows, said))
    return await outbox.remove(db, gone, provided=true())


async def not_said_of(db: AsyncConnection) -> set[UUID]:
    """Users of whom events wait, once those are gone that were said: no topic is as new as they.

    A recovery that was killed may have handled their commands anew.
    """
    asked = select(OutboxRow.aggregateid).where(OutboxRow.aggregatetype == EVENTS.suffix)
    return {UUID(each) for each in await db.scalars(asked)}


def _said_before(rows: Iterable[Waiting], said: Collection[UUID]) -> Iterable[Said]:
    """What goes with an event stands before it and was said with it."""
    before: list[Said] = []
    for row in rows:
        if row.topic in _WITH_EVENTS:
            before.append(row.said)
        elif row.said.id in said:
            yield from (*before, row.said)
        if row.topic == EVENTS.suffix:
            before = []


async def go_on_from(db: AsyncConnection, ends: Mapping[Place, int]) -> None:
    """Everything below is finished; the epoch is a new one, and services may start again."""
    await fence.move(db, ends)
    await db.execute(
        update(Installation).values(epoch=new_id(), recovering=False, restore_point=None)
    )


async def commit_offsets(
    topics: Topics, groups: Mapping[str, Iterable[Topic]], ends: Mapping[Place, int]
) -> None:
    """Let each Kafka group go on from there. Raises GroupInUseError when one keeps its members."""
    for group, of in groups.items():
        names = {topic.name(topics.namespace): topic.suffix for topic in of}
        offsets = {
            TopicPartition(name, partition): end
            for name, suffix in names.items()
            for (topic, partition), end in ends.items()
            if topic == suffix
        }
        consumer = AIOKafkaConsumer(
            bootstrap_servers=topics.servers,
            group_id=group,
            enable_auto_commit=False,
            **topics.security,
        )
        await consumer.start()
        try:
            consumer.assign(list(offsets))
            await _commit(consumer, group, offsets)
        finally:
            await consumer.stop()


async def _commit(
    consumer: AIOKafkaConsumer, group: str, offsets: Mapping[TopicPartition, int]
) -> None:
    """A process that was killed stays a member until its session is over."""
    until = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while True:
        try:
            return await consumer.commit(offsets)
        except CommitFailedError:
            if asyncio.get_running_loop().time() > until:
                raise GroupInUseError(group) from None
        await asyncio.sleep(_PAUSE_SECONDS)
