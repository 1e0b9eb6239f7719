"""Commands that were recorded and are produced again, at once and long after: nothing comes of it.

The broker's time of a record is what counts: the topics are made to take the times they are given,
and the clocks of the service and of its database go with them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from authbus import Code, Rejected
from authbus.message import Reply
from authbus_service.core import clock
from authbus_service.inbox import partitions
from tests.rig.clocks import any_times, later
from tests.rig.dumps import dumped
from tests.rig.fifty import all_had_their_effect, fifty
from tests.rig.offsets import all_finished
from tests.rig.producing import Draft
from tests.rig.world import World

pytestmark = pytest.mark.slow

EXPIRED, STALE = Rejected.because(Code.EXPIRED), Rejected.because(Code.STALE_ID)
# What ends by itself in all these days is no effect of a record; codes are forgotten after a week.
UNSWEPT = {"sweep_seconds": 3600}
EFFECTS = ("users", "emails", "sessions", "mails", "attempts")


async def held(world: World) -> list[Any]:
    """The rows of each table in which an effect would be seen, and all events."""
    rows = await dumped(world.database)
    return [*(rows[name] for name in EFFECTS), await world.events()]


async def produced_again(
    world: World, drafts: Sequence[Draft], by: timedelta, at: datetime
) -> list[list[Reply]]:
    """Start a service so much later, send it these with that time; what each is answered."""
    heard = [len(world.web.answers(each.id)) for each in drafts]
    async with later(world.database, by), world.consuming():
        for draft in drafts:
            await world.web.send(draft, at=at)
        await all_finished(world)
        await asyncio.sleep(0.3)
    return [
        [world.web.read(each, draft) for each in world.web.answers(draft.id)[known:]]
        for draft, known in zip(drafts, heard, strict=True)
    ]


async def is_forgotten(world: World) -> None:
    async with world.database.transaction() as db:
        await db.execute(text("DELETE FROM inbox"))


async def test_fifty_commands_produced_again_after_a_second_minutes_and_days_have_no_effect(
    world: World,
) -> None:
    world = replace(world, settings=UNSWEPT)
    async with any_times(world.servers, world.namespace):
        async with world.consuming():
            drafts = (of := await fifty(world)).drafts
            first = await of.asked()
        assert all_had_their_effect(first)
        before = await held(world)

        async def answers(by: timedelta, at: datetime | None = None) -> list[list[Reply]]:
            found = await produced_again(world, drafts, by, at or datetime.now(UTC) + by)
            assert await held(world) == before
            return found

        second, minutes, days = timedelta(seconds=1), timedelta(minutes=10), timedelta(days=8)
        assert await answers(second) == [[each] for each in first]
        assert await answers(minutes) == [[]] * len(drafts)
        assert await answers(days) == [[]] * len(drafts)

        await is_forgotten(world)
        assert await answers(minutes) == [[STALE]] * len(drafts)
        assert await answers(days) == [[STALE]] * len(drafts)
        assert await answers(days, datetime.now(UTC)) == [[EXPIRED]] * len(drafts)


async def test_the_inbox_itself_forgets_no_command_before_its_id_is_too_old_to_be_taken(
    world: World,
) -> None:
    world = replace(world, settings=UNSWEPT)
    by = partitions.RETENTION + timedelta(days=1)
    async with any_times(world.servers, world.namespace):
        async with world.consuming():
            drafts = (of := await fifty(world)).drafts
            assert all_had_their_effect(await of.asked())
        before, sent = await held(world), clock.now()

        found = [await produced_again(world, drafts, by, at) for at in (sent + by, sent)]

        assert await world.rows("SELECT id FROM inbox") == []
        assert found == [[[STALE]] * len(drafts), [[EXPIRED]] * len(drafts)]
        assert await held(world) == before
