"""A database that knows less than others know of it handles nothing and names the cure."""

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from authbus import Registered
from authbus.topics import EVENTS
from authbus_service.consumers.housekeeping import Housekeeping
from authbus_service.consumers.service import Consumers
from authbus_service.consumers.subscriber import Intake
from authbus_service.consumers.transient import OUTAGE, is_transient
from authbus_service.consumers.went_back import DatabaseWentBackError, Witnesses
from authbus_service.core import clock
from authbus_service.core.database import Database, connect
from authbus_service.core.migrations import migrate
from authbus_service.core.pooler import Lending
from authbus_service.embedded import EmbeddedStack
from tests.rig.crowd import Crowd, until
from tests.rig.world import World, a_world


@asynccontextmanager
async def kept_servers(folder: Path) -> AsyncGenerator[tuple[EmbeddedStack, World]]:
    """Servers of its own, whose database may be put back."""
    async with EmbeddedStack(data=folder / "servers") as stack:
        database = connect(stack.addresses.database_url)
        await migrate(database)
        async with a_world(stack.addresses.bootstrap_servers, "auth", database) as world:
            yield stack, world
        await database.close()


def is_admitted(intake: Intake) -> bool:
    member = intake.member()
    return member is not None and member.admitted


async def ends(consumers: Consumers) -> None:
    assert consumers.failure is not None
    with pytest.raises(DatabaseWentBackError, match="Run: authbus recover"):
        await asyncio.wait_for(asyncio.shield(consumers.failure), 20)


@pytest.mark.nightly
@pytest.mark.timeout(120)
async def test_a_process_whose_database_lost_its_last_commits_handles_nothing_more(
    tmp_path: Path,
) -> None:
    async with kept_servers(tmp_path) as (stack, world):
        crowd, copy = Crowd(world), tmp_path / "copy"
        async with world.consuming() as consumers:
            await crowd.asked(crowd.registers(range(5)))
            await stack.kill_postgres()
            shutil.copytree(stack.postgres_data_dir, copy)
            await stack.restart_postgres()
            healed = await crowd.asked(crowd.registers(range(5, 8)))
            await stack.kill_postgres()
            shutil.rmtree(stack.postgres_data_dir)
            copy.rename(stack.postgres_data_dir)
            late = crowd.registers(range(8, 12))
            for draft in late:
                await world.web.send(draft)
            await stack.restart_postgres()

            await ends(consumers)

            await asyncio.sleep(0.5)
        users = await world.rows("SELECT id FROM users")

    assert all(isinstance(each, Registered) for each in healed)
    assert len(users) == 5
    assert not any(world.web.answers(draft.id) for draft in late)


@pytest.mark.gate
@pytest.mark.timeout(120)
async def test_a_process_hears_of_commits_that_others_made_and_a_fail_over_lost(
    tmp_path: Path,
) -> None:
    async with kept_servers(tmp_path) as (stack, world):
        crowd, copy = Crowd(world), tmp_path / "copy"
        other = replace(world, database=connect(stack.addresses.database_url))
        async with other.consuming():
            await crowd.asked(crowd.registers(range(1)))
        await stack.kill_postgres()
        shutil.copytree(stack.postgres_data_dir, copy)
        await stack.restart_postgres()
        await asyncio.gather(*(each.database.engine.dispose() for each in (world, other)))
        async with other.consuming():
            (made,) = await crowd.asked(crowd.registers([1]))
        assert isinstance(made, Registered)
        await said(world, made.user_id, 1)
        async with world.consuming() as consumers:
            await until(lambda: all(map(is_admitted, consumers.intakes)))
            await stack.kill_postgres()
            shutil.rmtree(stack.postgres_data_dir)
            copy.rename(stack.postgres_data_dir)
            (late,) = crowd.registers([2])
            await world.web.send(late)
            await stack.restart_postgres()

            await ends(consumers)
        await other.database.close()

    assert not world.web.answers(late.id)


async def said(world: World, user_id: UUID, sequence: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=world.servers)
    await producer.start()
    value = json.dumps({"user_id": str(user_id), "sequence": sequence}).encode()
    await producer.send_and_wait(EVENTS.name(world.namespace), value, key=str(user_id).encode())
    await producer.stop()


async def test_a_database_that_knows_less_than_was_said_of_a_user_is_not_served(
    world: World,
) -> None:
    crowd = Crowd(world)
    async with world.consuming():
        (made,) = await crowd.asked(crowd.registers(range(1)))
    assert isinstance(made, Registered)

    await said(world, made.user_id, 1)
    async with world.consuming():
        await crowd.asked(crowd.registers(range(1, 3)))
    await said(world, made.user_id, 2)
    async with world.consuming() as consumers:
        await ends(consumers)


async def test_a_database_that_does_not_know_a_user_of_whom_was_said_is_not_served(
    world: World,
) -> None:
    await said(world, uuid4(), 1)

    async with world.consuming() as consumers:
        await world.web.send(Crowd(world).registers(range(1))[0])
        await ends(consumers)

    assert await world.rows("SELECT id FROM users") == []


async def nothing_said() -> dict[UUID, int]:
    return {}


def id_of(at: datetime) -> UUID:
    return UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62)


@pytest.mark.parametrize(("age", "is_served"), [(timedelta(days=11), True), (timedelta(), False)])
async def test_a_process_whose_clock_is_behind_asks_for_no_command_of_a_day_that_is_forgotten(
    database: Database, age: timedelta, *, is_served: bool
) -> None:
    refusals: list[DatabaseWentBackError] = []
    await Housekeeping(database).keep_partitions()
    witnesses = Witnesses(database, nothing_said, refusals.append)
    witnesses.note([id_of(clock.now() - age)])
    await witnesses.watch()
    await database.engine.dispose()

    with clock.standing_at(clock.now() - timedelta(days=3)), suppress(*OUTAGE):
        async with database.reading():
            pass
    witnesses.leave()

    assert bool(refusals) is not is_served


async def nobody_answers() -> dict[UUID, int]:
    raise KafkaConnectionError


@pytest.mark.parametrize("lends", [False, True])
async def test_a_server_that_cannot_be_compared_is_tried_again_whoever_lends_the_connection(
    database: Database, *, lends: bool
) -> None:
    lending = Lending({}) if lends else None
    asked = replace(database, lending=lending)
    refusals: list[DatabaseWentBackError] = []
    witnesses = Witnesses(asked, nobody_answers, refusals.append)
    await witnesses.watch()
    witnesses._server = None  # pyright: ignore[reportPrivateUsage] - as if it were another one
    if lending is None:
        await database.engine.dispose()
    else:
        lending._server = None  # pyright: ignore[reportPrivateUsage]

    with pytest.raises(ConnectionResetError) as raised:
        async with asked.transaction():
            pass
    witnesses.leave()

    assert is_transient(raised.value)
    assert refusals == []


async def test_another_server_without_our_tables_is_not_served(
    database: Database,
) -> None:
    refusals: list[DatabaseWentBackError] = []
    witnesses = Witnesses(database, nothing_said, refusals.append)
    await witnesses.watch()
    witnesses._server = None  # pyright: ignore[reportPrivateUsage] - as if it were another one
    async with database.transaction() as db:
        await db.exec_driver_sql("ALTER TABLE erased_users RENAME TO elsewhere")
    await database.engine.dispose()

    with pytest.raises(ConnectionRefusedError, match="Run: authbus recover"):
        async with database.reading():
            pass
    witnesses.leave()

    assert len(refusals) == 1
