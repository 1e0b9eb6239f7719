"""How often an intake had to stop for others is counted, and how it came into the group is not."""

from tests.unit.consumers.intake import ONE, ZERO, World


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
