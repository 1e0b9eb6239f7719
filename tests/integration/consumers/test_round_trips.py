"""How often a command that comes alone goes to the database: each time costs both sides."""

from dataclasses import replace

from authbus import LogIn, LogOut
from tests.integration.consumers.test_shedding import Counting, cost
from tests.rig.crowd import PASSWORD
from tests.rig.world import EMAIL, World


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


async def test_a_log_in_alone_asks_eight_times_and_writes_once_behind_its_claim(
    world: World,
) -> None:
    web, hashes = world.web, Counting(world.hashes.hasher)
    async with replace(world, hashes=hashes).consuming():
        await world.session()
        count, said = await cost(world, hashes, web.draft(LogIn(email=EMAIL, password=PASSWORD)))

    hashes.close()
    *before, claim, written = said
    assert count == 1
    assert len(before) == 8
    assert claim == "INSERT INTO inbox"
    assert written.split("; ") == [
        "INSERT INTO outbox",
        "UPDATE users SET",
        "INSERT INTO sessions",
        "DELETE FROM attempts",
        "UPDATE attempts SET",
    ]
