"""What is deleted and still kept, for a dump's sake, is not read again by each look for rows."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import text, true

from authbus_service.core.database import Database, connect
from authbus_service.outbox import floor
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.again import say_again
from authbus_service.outbox.floor import Floor
from tests.integration.relay.world import World, a_record, running, until
from tests.rig.databases import reading_long

ROWS, STEP = 3_000, 500
READ = text("SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'outbox_pkey'")
ALL_TOLD = text("SELECT pg_stat_force_next_flush()")


@pytest.fixture(autouse=True)
def step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "STEP", STEP)
    monkeypatch.setattr(floor, "_SECONDS", 0.02)


@pytest.fixture
async def other(world: World) -> AsyncGenerator[Database]:
    """Somebody else's way to the database, who may take long."""
    address = world.database.engine.url.render_as_string(hide_password=False)
    found = connect(address, patient=True)
    yield found
    await found.close()


async def read_by_a_look(other: Database) -> int:
    """How many rows PostgreSQL reads for a look at an outbox that is empty."""
    counted: list[int] = []
    for _ in range(2):
        async with other.reading() as db:
            assert await outbox.oldest(db, 1) == []
            await db.execute(ALL_TOLD)
        async with other.reading() as db:
            counted.append(int(await db.scalar(READ) or -1))
    return counted[1] - counted[0]


async def all_of(world: World, rows: int) -> list[str]:
    """Write so many rows, a few at a time."""
    records = [a_record(f"user-{n % 9}") for n in range(rows)]
    for begin in range(0, rows, 250):
        await world.write(*records[begin : begin + 250])
    return [str(record.id) for record in records]


async def positions(world: World) -> list[int]:
    async with world.database.reading() as db:
        return [row.said.position for row in await outbox.oldest(db, 10)]


async def test_a_look_does_not_read_what_was_said_while_a_dump_goes_on(
    world: World, other: Database
) -> None:
    async def few_are_read() -> bool:
        return await read_by_a_look(other) <= 2 * STEP

    async with reading_long(other), running(world.relay()):
        await all_of(world, ROWS)
        await world.until_said()

        await until(few_are_read, 10)


async def test_the_next_relay_begins_where_the_last_one_was(world: World, other: Database) -> None:
    async with reading_long(other):
        await all_of(world, ROWS)
        async with world.database.transaction() as db:
            await db.execute(text("DELETE FROM outbox"))
        await moved(Floor(world.database), ROWS)

        await moved(Floor(world.database), 1)

        assert await read_by_a_look(other) == 0


async def test_a_row_of_a_transaction_that_commits_late_is_said_all_the_same(
    world: World, other: Database
) -> None:
    relay = world.relay()
    async with running(relay):
        async with other.transaction() as late:
            await outbox.append(late, [a_record("late")])
            await all_of(world, ROWS)
            await world.until_said()
            await asyncio.sleep(0.5)
        await world.until_said()

    assert relay.state.said == ROWS + 1


async def moved(move: Floor, seen: int) -> None:
    """As far as it can be now, when a row with this position has been seen."""
    for _ in range(4):
        move.seen(seen)
        await move.move()


async def test_a_row_that_waits_below_what_was_seen_is_found(world: World) -> None:
    await all_of(world, 3)
    first, _, last = await positions(world)

    await moved(Floor(world.database), last)

    assert (await positions(world))[0] == first


async def test_a_row_that_is_said_again_is_found_before_all_others(world: World) -> None:
    await all_of(world, 3)
    async with world.database.reading() as db:
        rows = [row.said for row in await outbox.oldest(db, 10)]
    async with world.database.transaction() as db:
        await outbox.remove(db, rows[:2], provided=true())
    move = Floor(world.database)
    await moved(move, rows[-1].position)
    async with world.database.transaction() as db:
        await say_again(db, rows[2:], provided=true())
    await all_of(world, 1)
    await moved(move, rows[-1].position + STEP)

    found = await positions(world)

    assert found == [rows[-1].position - outbox.AGAIN, rows[-1].position + 1]


async def test_where_positions_are_counted_anew_each_row_is_found(world: World) -> None:
    await all_of(world, 2 * STEP)
    async with world.database.transaction() as db:
        await db.execute(text("DELETE FROM outbox"))
    await moved(Floor(world.database), 2 * STEP)
    async with world.database.transaction() as db:
        await db.execute(text("ALTER TABLE outbox ALTER position RESTART"))

    await all_of(world, 1)

    assert await positions(world) == [1]
