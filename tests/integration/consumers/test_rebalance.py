"""Processes come and go under load: each command has one effect and is answered."""

# pyright: reportPrivateUsage=false

import asyncio

from tests.rig.crowd import Crowd, until
from tests.rig.world import World


async def test_a_second_process_joins_and_leaves_under_load(world: World) -> None:
    crowd = Crowd(world)
    users = 100
    async with world.consuming() as first:
        await crowd.with_sessions(users)
        pairs = zip(crowd.log_ins(range(users)), crowd.log_outs(crowd.sessions), strict=True)
        more = [draft for pair in pairs for draft in pair]
        sending = asyncio.create_task(crowd.send(more, over=3))
        async with world.consuming() as second:
            await until(lambda: all(list(intake.progress) for intake in second._intakes))
        await sending
        await crowd.answered(more)

    await crowd.checked()
    assert first.failure is not None
    assert not first.failure.done()


async def test_a_stop_under_load_and_a_new_start_lose_nothing_and_double_nothing(
    world: World,
) -> None:
    crowd = Crowd(world)
    users = 100
    async with world.consuming():
        await crowd.with_sessions(users)
        more = [*crowd.log_ins(range(users)), *crowd.log_outs(crowd.sessions)]
        sending = asyncio.create_task(crowd.send(more, over=0.5))
        await asyncio.sleep(0.2)
    stopped = sum(1 for draft in more if world.web.answers(draft.id))
    await sending

    async with world.consuming():
        await crowd.answered(more)

    await crowd.checked()
    assert 0 < stopped < len(more)
    counts = [len(world.web.answers(draft.id)) for draft in crowd.drafts]
    assert sum(counts) == len(counts), "what was finished before the stop came again after it"
