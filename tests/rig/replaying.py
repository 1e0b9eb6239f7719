"""Commands and events of a world replayed as the command line does it."""

import asyncio
from dataclasses import asdict
from typing import Any

from aiokafka import TopicPartition

from authbus.topics import CREDENTIALS, EVENTS, Topic
from authbus_service.cluster import Admin
from authbus_service.cluster.admin import NewlyWanted
from authbus_service.core.ids import new_id
from authbus_service.reading.ranges import reader
from authbus_service.replay.commands import CommandReplay, Plan
from authbus_service.replay.events import CopyReport, EventPlan, EventReplay
from authbus_service.replay.states import UserStates
from authbus_service.replay.summary import Summary
from tests.rig.topics import records
from tests.rig.world import World

# Of a module downstream, for copies of events.
NEW = Topic("new", "user id", 2, {})


async def replayed(world: World, topic: Topic = CREDENTIALS, **how: Any) -> Summary:
    """Replay a topic from its start; `how` are fields of the plan."""
    plan: dict[str, Any] = {"topic": topic, "replay_id": new_id(), "begin": 0, "wait": 5.0}
    async with Admin.connect(world.servers, {}) as admin:
        replay = CommandReplay(world.database, admin, world.namespace, lambda _, __, ___: None)
        return await replay.run(Plan(**{**plan, **how}))


def counts(summary: Summary) -> dict[str, int]:
    """What was counted at all."""
    facts = summary.as_json()
    return {name: count for name, count in facts.items() if type(count) is int and count}


def billing(world: World) -> str:
    """A module's group, and no other test's: that one's member may not be missed yet."""
    return f"billing.{world.namespace}"


async def has_read(admin: Admin, group: str, namespace: str) -> str:
    """Let a group have read an event, and be stopped; returns its name."""
    async with reader(admin, group_id=group) as consumer:
        place = TopicPartition(EVENTS.name(namespace), 0)
        consumer.assign([place])
        await consumer.commit({place: 1})
    return group


async def a_new_topic(admin: Admin, name: str) -> str:
    """Make a topic for copies; returns its name."""
    await admin.create([NewlyWanted(name, NEW.partitions, 1, {})])
    while not await admin.topics([name]):  # noqa: ASYNC110 - Kafka wakes nobody
        await asyncio.sleep(0.01)
    return name


async def events_copied(world: World, admin: Admin, **how: Any) -> CopyReport:
    """Copy events from the start; `how` are fields of the plan."""
    plan: dict[str, Any] = {"to": NEW.name(world.namespace), "replay_id": new_id(), "begin": 0}
    replay = EventReplay(admin, world.namespace, lambda _, __, ___: None)
    return await replay.run(EventPlan(**(plan | how)))


async def rebuilt(world: World, *, dry_run: bool = False) -> dict[str, Any]:
    """Write the states of all users into the outbox anew."""
    async with Admin.connect(world.servers, {}) as admin:
        states = UserStates(world.database, admin, world.namespace, lambda _, __, ___: None)
        return asdict(await states.rebuild(dry_run=dry_run))


async def lying(world: World) -> list[Any]:
    """All that lies on the topic of credentials."""
    return [each async for each in records(world.servers, CREDENTIALS, world.namespace)]


def bare(record: Any) -> tuple[Any, ...]:
    """Its bytes and its partition, without the marks of a copy."""
    headers = tuple(each for each in record.headers if not each[0].startswith("replay_"))
    return record.partition, record.key, record.value, headers
