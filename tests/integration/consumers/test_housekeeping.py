"""The inbox has a place for its days, whatever the clocks of processes and machines have done."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from authbus import Registered
from authbus.topics import DEAD_LETTERS
from authbus_service.consumers import housekeeping
from authbus_service.consumers.housekeeping import Housekeeping
from authbus_service.core import clock
from authbus_service.core.database import Database
from tests.rig.crowd import Crowd
from tests.rig.topics import records
from tests.rig.world import World

REFUSE = "BEGIN RAISE EXCEPTION 'kept'; END"
REFUSING = (
    f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $${REFUSE}$$",
    "CREATE TRIGGER kept BEFORE DELETE ON {table} EXECUTE FUNCTION refuse()",
)
LONG_OVER = "UPDATE sessions SET ended_at = now() - interval '31 days'"
# One that is past retention.
OLD_DAY = "SELECT keep_inbox_days('2020-01-01', '2020-01-01')"
DAYS = "SELECT inhrelid::regclass::text AS day FROM pg_inherits WHERE inhparent = 'inbox'::regclass"


async def days(database: Database) -> list[str]:
    async with database.reading() as db:
        return sorted(await db.scalars(text(DAYS)))


async def are_dropped(database: Database) -> None:
    """As they are when a machine wakes that has slept past all that were made."""
    for day in await days(database):
        await is_dropped(database, day)


async def is_dropped(database: Database, day: str) -> None:
    async with database.transaction() as db:
        await db.execute(text(f"DROP TABLE {day}"))


async def come(database: Database, count: int) -> None:
    async with asyncio.timeout(10):
        while len(await days(database)) < count:  # noqa: ASYNC110 - tables of another task
            await asyncio.sleep(0.02)


@asynccontextmanager
async def kept_by_force(database: Database, table: str) -> AsyncGenerator[None]:
    """No row of it can be deleted."""
    async with database.transaction() as db:
        for each in REFUSING:
            await db.execute(text(each.format(table=table)))
    yield
    async with database.transaction() as db:
        await db.execute(text("DROP FUNCTION refuse CASCADE"))


@asynccontextmanager
async def read_for_long(database: Database) -> AsyncGenerator[None]:
    """Somebody reads the inbox in a transaction that stays open, as a back-up does."""
    async with database.engine.connect() as db:
        await db.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        await db.execute(text("SELECT count(*) FROM inbox"))
        yield


@asynccontextmanager
async def keeping_house(database: Database) -> AsyncGenerator[None]:
    running = asyncio.create_task(Housekeeping(database).run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_command_of_a_day_that_the_inbox_lacks_has_its_answer(world: World) -> None:
    crowd = Crowd(world)
    async with world.consuming():
        made = await days(world.database)
        await are_dropped(world.database)
        answers = await crowd.asked(crowd.registers(range(3)))

    assert [type(each) for each in answers] == [Registered] * 3
    assert await days(world.database) == made
    assert [each async for each in records(world.servers, DEAD_LETTERS, world.namespace)] == []


@pytest.mark.parametrize("by", [timedelta(days=30), timedelta(days=-30)])
async def test_a_process_whose_clock_is_wrong_keeps_the_days_of_all(
    database: Database, by: timedelta
) -> None:
    await Housekeeping(database).keep_partitions()
    made = await days(database)

    with clock.standing_at(clock.now() + by):
        await Housekeeping(database).keep_partitions()

    assert await days(database) == made


@pytest.mark.parametrize(("by", "told"), [(30, [30]), (-30, [-30]), (1, [])])
async def test_a_process_whose_clock_is_wrong_says_so_and_by_how_much(
    database: Database, by: int, told: list[int]
) -> None:
    house = Housekeeping(database)
    with capture_logs() as logged, clock.standing_at(clock.now() + timedelta(seconds=by)):
        await house.look_at_the_clock()

    assert round(house.ahead.total_seconds()) == by
    assert [round(line["ahead_seconds"]) for line in logged] == told


async def test_a_process_makes_a_day_and_starts_while_somebody_reads_the_inbox_for_long(
    world: World,
) -> None:
    crowd, house = Crowd(world), Housekeeping(world.database)
    await house.keep_partitions()
    made = await days(world.database)
    await is_dropped(world.database, made[-1])

    async with read_for_long(world.database), world.consuming():
        (answer,) = await crowd.asked(crowd.registers([0]))
        during = await days(world.database)

    assert isinstance(answer, Registered)
    assert during == made


async def test_no_command_waits_for_a_second_while_an_old_day_waits_for_who_reads_the_inbox(
    world: World,
) -> None:
    crowd, house = Crowd(world), Housekeeping(world.database)
    async with world.consuming():
        await crowd.asked(crowd.registers([0]))
        made = await days(world.database)
        async with world.database.transaction() as db:
            await db.execute(text(OLD_DAY))
        await is_dropped(world.database, made[-1])
        async with read_for_long(world.database):
            keeping = asyncio.create_task(house.keep_partitions())
            async with asyncio.timeout(1):
                await crowd.asked(crowd.registers([1]))
            await keeping
            during = await days(world.database)
        await house.keep_partitions()

    assert during == ["inbox_20200101", *made]
    assert await days(world.database) == made


async def test_a_process_that_cannot_forget_starts_and_handles(world: World) -> None:
    crowd = Crowd(world)
    async with kept_by_force(world.database, "codes"), world.consuming():
        (answer,) = await crowd.asked(crowd.registers([0]))

    assert isinstance(answer, Registered)


@pytest.mark.parametrize("table", ["codes", "attempts"])
async def test_what_cannot_be_forgotten_keeps_no_session_that_ended_long_ago(
    world: World, table: str
) -> None:
    crowd = Crowd(world)
    async with world.consuming():
        await crowd.with_sessions(1)
    async with world.database.transaction() as db:
        await db.execute(text(LONG_OVER))

    async with kept_by_force(world.database, table):
        everything = await Housekeeping(world.database).forget()

    assert not everything
    assert await world.rows("SELECT id FROM sessions") == []


async def test_what_was_not_forgotten_is_forgotten_at_the_next_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_LOOK_SECONDS", 0.05)
    crowd = Crowd(world)
    async with world.consuming():
        await crowd.asked(crowd.registers(range(2)))
    async with world.database.transaction() as db:
        await db.execute(text("UPDATE codes SET expires_at = now() - interval '8 days'"))

    async with keeping_house(world.database):
        async with kept_by_force(world.database, "codes"):
            await are_dropped(world.database)
            await come(world.database, 12)
            kept = await world.rows("SELECT hash FROM codes")
        await are_forgotten(world)

    assert len(kept) == 2


async def are_forgotten(world: World) -> None:
    async with asyncio.timeout(10):
        while await world.rows("SELECT hash FROM codes"):  # noqa: ASYNC110 - rows of another task
            await asyncio.sleep(0.02)
