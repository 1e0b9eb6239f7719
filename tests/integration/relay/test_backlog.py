"""A batch of a backlog costs the same, however many rows wait behind it."""

import asyncio

from sqlalchemy import text

from tests.integration.relay.world import World, a_record, running, until

FEW, MANY = 12, 20_000
LOOKS = text("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'outbox'")


async def looks(world: World) -> int:
    """How often the whole table was read; each connection tells of it once a second."""
    await asyncio.sleep(1.5)
    async with world.database.reading() as db:
        return int(await db.scalar(LOOKS) or 0)


async def test_for_a_batch_of_a_backlog_no_more_rows_are_read_than_it_has(world: World) -> None:
    records = [a_record(f"user-{n % 50}", str(n).encode()) for n in range(MANY)]
    relay = world.relay()
    async with world.database.reading() as db:
        await db.execute(text("VACUUM ANALYZE outbox"))

    async def all_said() -> bool:
        return relay.state.said >= MANY

    async with running(relay):
        for record in records[:FEW]:
            await world.write(record)
            await world.until_said()
        before = await looks(world)
        await world.write(*records[FEW:])
        await until(all_said)
        found = await looks(world) - before

    assert found == 0
