"""An intake that has to stop for others is counted, and waits for nobody meanwhile."""

# pyright: reportPrivateUsage=false

import asyncio

from tests.unit.consumers.intake import ONE, ZERO, World, a_record, settled


async def test_a_rebalance_is_counted_as_it_begins_and_the_way_into_the_group_is_none() -> None:
    world = World()
    counts = [world.intake.rebalances]
    await world.intake.on_partitions_revoked([])
    counts.append(world.intake.rebalances)
    await world.assign(ZERO, ONE)

    for kept in ([ZERO], []):
        await world.intake.on_partitions_revoked([ZERO, ONE])
        counts.append(world.intake.rebalances)
        await world.assign(*kept)

    assert counts == [0, 0, 1, 2]
    assert world.intake.rebalances == 2


async def test_a_round_that_ends_frees_who_waits_in_it_and_lets_nothing_in() -> None:
    world = World()
    world.guard_errors = [ConnectionRefusedError()] * 10_000
    await world.assign(ZERO, ONE)
    taking = asyncio.create_task(world.intake._take((a_record(ZERO, 0),)))
    await settled()
    assert not taking.done()

    # Away for longer than Kafka waits for a poll: nothing is assigned before there is one.
    await world.intake.on_partitions_revoked([ZERO, ONE])
    await asyncio.wait_for(taking, 3)
    assert not world.intake._admission.is_open
    later = asyncio.create_task(world.intake._take((a_record(ZERO, 0),)))
    await settled()
    assert (later.done(), world.handled) == (False, [])

    world.guard_errors.clear()
    await world.assign(ZERO, ONE)
    await asyncio.wait_for(later, 3)
    await settled()
    assert world.handled == [0]
