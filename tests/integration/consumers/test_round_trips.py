"""How often a command that comes alone goes to the database: each time costs both sides."""

from dataclasses import replace

from authbus import LogOut
from tests.integration.consumers.test_shedding import Counting, cost
from tests.rig.world import World


async def test_a_log_out_alone_asks_five_times_and_writes_once_behind_its_claim(
    world: World,
) -> None:
    web, hashes = world.web, Counting(world.hashes.hasher)
    async with replace(world, hashes=hashes).consuming():
        session = await world.session()
        leave = LogOut(session_id=session.session_id, refresh_token=session.refresh_token)
        _, said = await cost(world, hashes, web.draft(leave))

    hashes.close()
    *before, claim, written = said
    assert len(before) == 5
    assert claim == "INSERT INTO inbox"
    assert written.split("; ") == ["INSERT INTO outbox", "UPDATE users SET", "UPDATE sessions SET"]
