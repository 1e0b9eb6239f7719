"""A process that stops leaves nothing behind, whatever it was about."""

import asyncio

from sqlalchemy import AsyncAdaptedQueuePool, text

from authbus_service.core.database import connect
from tests.rig.crowd import Crowd
from tests.rig.world import World

_BUSY = """
SELECT count(*) AS n FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'
"""


async def test_a_question_to_the_database_does_not_outlive_its_process(world: World) -> None:
    url = world.database.engine.url.render_as_string(hide_password=False)
    operator, pool = connect(url), world.database.engine.pool
    assert isinstance(pool, AsyncAdaptedQueuePool)
    async with operator.transaction() as holding:
        await holding.execute(text("LOCK fence, users IN ACCESS EXCLUSIVE MODE"))
        async with world.consuming():
            await world.web.send(Crowd(world).registers([0])[0])
            async with asyncio.timeout(10):
                while not await holding.scalar(text(_BUSY)):  # noqa: ASYNC110 - of the server
                    await asyncio.sleep(0.02)
        held = pool.checkedout()
    await operator.close()
    assert held == 0
