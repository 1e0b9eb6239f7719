"""A command from which the broker goes away half-way, as a program: how it ends, what it says."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from authbus.topics import EVENTS, USERS_STATE, Topic
from authbus_service.cluster import Admin
from authbus_service.core.exit_status import Exit
from authbus_service.core.ids import new_id
from authbus_service.embedded import EmbeddedStack
from tests.integration.cli.conftest import Authbus, kept
from tests.integration.cli.test_redriving import REDRIVE, dead_for_good
from tests.integration.cli.test_replaying import REPLAY, noise, sent
from tests.rig import impatient, programs
from tests.rig.brokers import How, away, struck
from tests.rig.connections import locked
from tests.rig.dumps import ends_of
from tests.rig.operating import settings_of
from tests.rig.replaying import NEW, a_new_topic
from tests.rig.world import World

pytestmark = pytest.mark.parametrize(
    "how",
    [
        pytest.param("killed", marks=pytest.mark.gate),
        pytest.param("frozen", marks=pytest.mark.nightly),
    ],
)

WENT_AWAY = "authbus: a server went away, or refused us, in the middle of it: "
# What is asked for topics at that moment says so of itself.
IS_AWAY = "authbus: cannot describe topics at "
Start = Callable[..., Awaitable[programs.Program]]
# Starts a program; it is half-way in the block, and goes on when that has ended.
HalfWay = Callable[[Start], AbstractAsyncContextManager[programs.Program]]


async def test_a_broker_that_is_lost_ends_a_replay_with_one_line_and_how_it_goes_on(
    world: World, stack: EmbeddedStack, tmp_path: Path, how: How
) -> None:
    count = 60
    await noise(world, count)
    settings = await settings_of(world)
    await world.web.stop()

    child = await programs.start(
        *REPLAY, "--rate", "5", environment={**kept(), **settings}, folder=tmp_path
    )
    while await sent(world) < count + 5:  # noqa: ASYNC110 - Kafka wakes nobody
        await asyncio.sleep(0.05)
    async with away(stack, how):
        out, err = await asyncio.wait_for(child.communicate(), 60)

    assert (child.returncode, out) == (Exit.LEFT, b"")
    begun, said = (each for each in err.decode().splitlines() if not each.startswith("{"))
    assert "should this end early: --resume " in begun
    assert said.startswith(WENT_AWAY)
    assert "KafkaTimeoutError" in said


async def filled(world: World, topic: Topic) -> None:
    """Write more than is fetched ahead onto one partition."""
    async with AIOKafkaProducer(bootstrap_servers=world.servers) as producer:
        for _ in range(80):
            key = str(new_id()).encode()
            await producer.send(topic.name(world.namespace), os.urandom(60_000), key, partition=0)


@asynccontextmanager
async def stopped_at(step: str, start: Start) -> AsyncGenerator[programs.Program]:
    """It has said that it has come to this step, and does nothing more in the block."""
    child = await start()
    while f'"{step}"' not in (line := (await child.stderr.readline()).decode()):
        assert line
    child.send_signal(signal.SIGSTOP)
    yield child
    child.send_signal(signal.SIGCONT)


@asynccontextmanager
async def asking_for(world: World, table: str, start: Start) -> AsyncGenerator[programs.Program]:
    """It waits for a table."""
    url = world.database.engine.url.render_as_string(hide_password=False)
    async with locked(url, table):
        child = await start()
        while not await world.rows("SELECT 1 FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        yield child


@asynccontextmanager
async def copying(world: World, where: str, start: Start) -> AsyncGenerator[programs.Program]:
    """Some of what it copies is there."""
    child = await start("--rate", "5")
    while not any((await ends_of(world.servers, NEW, where)).values()):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    yield child


async def of_a_copying(world: World) -> tuple[tuple[str, ...], HalfWay]:
    await filled(world, EVENTS)
    where = f"copied.{world.namespace}"
    async with Admin.connect(world.servers, {}) as admin:
        new = await a_new_topic(admin, NEW.name(where))
    return ("replay", "events", "--from", "0", "--to-topic", new), partial(copying, world, where)


async def of_a_redriving(world: World) -> tuple[tuple[str, ...], HalfWay]:
    await dead_for_good(world, 2)
    return REDRIVE, partial(stopped_at, "handled")


async def of_a_rebuild(world: World) -> tuple[tuple[str, ...], HalfWay]:
    await filled(world, USERS_STATE)
    return ("state", "rebuild", "users"), partial(asking_for, world, "users")


async def of_a_recovery(world: World) -> tuple[tuple[str, ...], HalfWay]:
    await filled(world, EVENTS)
    return ("recover",), partial(stopped_at, "survey")


@pytest.mark.parametrize("work", [of_a_copying, of_a_redriving, of_a_rebuild, of_a_recovery])
async def test_a_broker_that_is_lost_ends_whatever_it_is_with_one_line_and_it_can_be_run_again(
    world: World,
    authbus: Authbus,
    stack: EmbeddedStack,
    tmp_path: Path,
    how: How,
    work: Callable[[World], Awaitable[tuple[tuple[str, ...], HalfWay]]],
) -> None:
    command, half_way = await work(world)
    settings = await settings_of(world)
    await world.web.stop()

    async def start(*more: str) -> programs.Program:
        environment, module = {**kept(), **settings}, impatient.__name__
        return await programs.start(
            *command, *more, environment=environment, folder=tmp_path, module=module
        )

    async with AsyncExitStack() as until_it_has_ended:
        async with asyncio.timeout(30), half_way(start) as child:
            struck(stack, how)
        await until_it_has_ended.enter_async_context(away(stack, how))
        out, err = await asyncio.wait_for(child.communicate(), 90)
    again = await authbus(*command, **settings)

    said = [each for each in err.decode().splitlines() if not each.startswith("{")]
    assert (child.returncode, out) == (Exit.LEFT, b"")
    assert said[-1].startswith((WENT_AWAY, IS_AWAY)), said
    assert "Traceback" not in err.decode()
    assert json.loads(again.out), again.err
