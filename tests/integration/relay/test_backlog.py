"""A batch of a backlog costs the same, however many rows wait behind it."""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from authbus_service.relay.errors import OutcomeUnknownError
from authbus_service.relay.loop import Relay
from authbus_service.relay.producer import Outgoing
from tests.integration.relay.world import World, a_record, running, until

FEW, MANY = 12, 20_000
AT_ONCE = 40
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


async def test_a_backlog_that_is_too_much_at_once_for_kafka_is_said_in_smaller_batches(
    world: World,
) -> None:
    class Slow(Relay):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            self._publish = self._producer.publish
            self._producer.publish = self._in_time

        async def _in_time(self, records: Sequence[Outgoing]) -> None:
            if len(records) > AT_ONCE:
                raise OutcomeUnknownError("a request to Kafka was not answered in time")
            await self._publish(records)

    await world.write(*[a_record(f"user-{n}", str(n).encode()) for n in range(5 * AT_ONCE)])
    relay = world.relay(Slow)
    async with running(relay):
        await world.until_said()

    assert relay.state.said == len(await world.read()) == 5 * AT_ONCE
