"""A service that nobody asks anything."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from tests.rig.crowd import Crowd
from tests.rig.world import World


async def test_an_idle_service_waits_for_records_and_does_not_look_for_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls = 0
    poll = AIOKafkaConsumer.getmany

    async def counted(self: AIOKafkaConsumer, *args: Any, **named: Any) -> Any:
        nonlocal polls
        polls += 1
        return await poll(self, *args, **named)

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", counted)
    async with world.consuming():
        crowd = Crowd(world)
        await crowd.asked(crowd.registers([0]))
        before = polls
        await asyncio.sleep(1)
        assert polls - before < 20
