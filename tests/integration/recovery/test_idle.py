"""An installation that idled for so long that its inbox is empty has lost nothing."""

import pytest
from sqlalchemy import text

from tests.rig.accident import forget_commands, recovered, serving, tables
from tests.rig.crowd import Crowd
from tests.rig.world import World


@pytest.mark.parametrize("dry_run", [True, False])
async def test_what_the_database_knows_is_not_lost_where_its_inbox_is_empty(
    world: World, *, dry_run: bool
) -> None:
    async with serving(world):
        await Crowd(world).with_sessions(3)
    await forget_commands(world.servers, world.namespace)
    async with world.database.transaction() as db:
        await db.execute(text("DELETE FROM inbox"))
    before = await tables(world.database, [])

    report = await recovered(world, dry_run=dry_run)

    assert report.lost == []
    assert (report.sessions_ended, report.events_read) == (0, 6)
    assert await tables(world.database, []) == before
