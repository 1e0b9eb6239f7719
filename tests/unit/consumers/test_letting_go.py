"""How long a member may take to give its partitions away."""

# pyright: reportPrivateUsage=false

import asyncio

import pytest

from authbus_service.consumers.subscriber import Intake
from tests.unit.consumers.intake import ZERO, World, settled


@pytest.mark.parametrize("leave", ["revoked", "close"])
async def test_all_that_a_member_waits_for_before_it_lets_go_ends_in_the_groups_time(
    monkeypatch: pytest.MonkeyPatch, leave: str
) -> None:
    world = World()

    async def hang(_: Intake) -> None:
        await asyncio.Event().wait()

    for name, seconds in (("_DRAIN", 0.02), ("_LET_GO", 0.1)):
        monkeypatch.setattr(f"authbus_service.consumers.subscriber.{name}_SECONDS", seconds)
    monkeypatch.setattr(world.intake, "_persist", hang)
    await world.assign(ZERO)
    world.open.clear()
    await world.take(0)

    async with asyncio.timeout(0.4):
        if leave == "revoked":
            await world.intake.on_partitions_revoked([ZERO])
        else:
            with pytest.raises(TimeoutError):
                await world.intake.close()

    assert leave == "close" or list(world.intake.progress) == []
    world.open.set()
    await settled()
