"""A command from which the broker goes away half-way, as a program: how it ends, what it says."""

import asyncio
from pathlib import Path

import pytest

from authbus_service.core.exit_status import Exit
from authbus_service.embedded import EmbeddedStack
from tests.integration.cli.conftest import kept
from tests.integration.cli.test_replaying import REPLAY, noise, sent
from tests.rig import programs
from tests.rig.brokers import How, away
from tests.rig.operating import settings_of
from tests.rig.world import World


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("killed", marks=pytest.mark.gate),
        pytest.param("frozen", marks=pytest.mark.nightly),
    ],
)
async def test_a_broker_that_is_lost_ends_a_replay_with_one_line_and_how_it_goes_on(
    world: World, stack: EmbeddedStack, tmp_path: Path, how: How
) -> None:
    count = 60
    await noise(world, count)
    settings = await settings_of(world)
    await world.web.stop()

    child = await programs.start(
        *REPLAY, "--rate", "5", environment={**kept(), **settings}, folder=tmp_path
    )
    while await sent(world) < count + 5:  # noqa: ASYNC110 - Kafka wakes nobody
        await asyncio.sleep(0.05)
    async with away(stack, how):
        out, err = await asyncio.wait_for(child.communicate(), 60)

    assert (child.returncode, out) == (Exit.LEFT, b"")
    begun, said = (each for each in err.decode().splitlines() if not each.startswith("{"))
    assert "should this end early: --resume " in begun
    assert said.startswith("authbus: a server went away, or refused us, in the middle of it: ")
    assert "KafkaTimeoutError" in said
