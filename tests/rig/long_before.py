"""A command that came long before its event, as one that was redriven after days."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from authbus_service.core import clock
from authbus_service.recovery import recover
from tests.rig.accident import backup, serving
from tests.rig.crowd import Crowd
from tests.rig.world import World


async def registered_long_before(
    world: World, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> World:
    """An old copy of the database; a recovery of it reads commands from after this one had come."""
    async with serving(world):
        await crowd.with_sessions(1)
    copy = await backup(world.database)
    (newest,) = await world.rows("SELECT max(handled_at) AS at FROM inbox")
    (late,) = crowd.registers([1])
    await world.web.send(late)
    await asyncio.sleep(1)
    begin = clock.now()
    async with serving(world):
        await world.web.heard(late, 1)
    monkeypatch.setattr(recover, "_SKEW", newest["at"] - begin)
    monkeypatch.setattr(recover, "_PATIENCE", timedelta(0))
    return replace(world, database=copy)
