"""Guesses on real servers: counted before they are hashed, by account and by source, once each."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from authbus import Code, LoggedIn, LogIn, RegisterUser, Rejected, SessionStarted, UserLocked
from authbus.message import Reply
from authbus_service.core.ids import new_id
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Verified
from tests.rig.crowd import PASSWORD
from tests.rig.producing import Draft
from tests.rig.world import World

ANA = "ana@example.com"
WRONG = Rejected.because(Code.INVALID_CREDENTIALS)
# No wait runs out while a test runs, and none is far from a lock.
PATIENT = {"guess_wait_seconds": 600, "guesses": 5, "guesses_until_lock": 5}
HASTY = {"guess_wait_seconds": 0, "guesses": 3, "guesses_until_lock": 3, "lock_seconds": 2}


class Counting(HashPool):
    """Counts what is verified. A verify takes a while, so that others come meanwhile."""

    def __init__(self, pool: HashPool) -> None:
        super().__init__(pool.hasher)
        self.verified = 0

    async def verify(self, phc: str | None, password: str) -> Verified:
        self.verified += 1
        await asyncio.sleep(0.02)
        return await super().verify(phc, password)


def guess(world: World, number: int, email: str = ANA, **more: Any) -> Draft:
    password = SecretStr(f"wrong guess number {number}")
    return world.web.draft(LogIn(email=email, password=password, **more), key=new_id().bytes)


def right(world: World) -> Draft:
    return world.web.draft(LogIn(email=ANA, password=PASSWORD), key=new_id().bytes)


async def asked(world: World, drafts: list[Draft]) -> list[Reply]:
    await asyncio.gather(*(world.web.send(each) for each in drafts))
    return [
        heard[0] for heard in await asyncio.gather(*(world.web.heard(each, 1) for each in drafts))
    ]


async def register(world: World) -> None:
    await world.web.ask(world.web.draft(RegisterUser(email=ANA, password=PASSWORD)))


@pytest.mark.parametrize("email", [ANA, "nobody@example.com"])
async def test_of_200_wrong_guesses_at_once_exactly_the_limit_is_hashed(
    world: World, email: str
) -> None:
    hashes = Counting(world.hashes)
    async with replace(world, hashes=hashes, settings=PATIENT).consuming():
        await register(world)

        answers = await asked(world, [guess(world, each, email) for each in range(200)])

    hashes.close()
    assert answers == [WRONG] * 200
    assert hashes.verified == 5
    locks = [each for each in await world.events() if isinstance(each, UserLocked)]
    assert len(locks) == (email == ANA)


async def test_over_two_processes_exactly_the_limit_is_hashed(world: World) -> None:
    pools = [Counting(world.hashes), Counting(world.hashes)]
    one, two = (replace(world, hashes=each, settings=PATIENT) for each in pools)
    async with one.consuming(), two.consuming():
        await register(world)
        drafts = [guess(world, each) for each in range(200)]
        for number, draft in enumerate(drafts):
            await world.web.send(draft, partition=number % 12)
        answers = [(await world.web.heard(each, 1))[0] for each in drafts]

    for each in pools:
        each.close()
    assert answers == [WRONG] * 200
    assert [each.verified > 0 for each in pools] == [True, True]
    assert sum(each.verified for each in pools) == 5


async def test_right_passwords_at_once_wait_for_each_other_and_are_all_let_in(
    world: World,
) -> None:
    async with replace(world, settings=PATIENT).consuming():
        await register(world)

        answers = await asked(world, [right(world) for _ in range(40)])

    assert all(isinstance(each, LoggedIn) for each in answers)
    assert await world.rows("SELECT * FROM attempts") == []


async def test_a_replayed_or_repeated_command_counts_once(world: World) -> None:
    hashes = Counting(world.hashes)
    async with replace(world, hashes=hashes, settings=PATIENT).consuming():
        await register(world)
        wrong = guess(world, 0)
        for again in range(8):
            await world.web.send(wrong, partition=again)
        await world.web.heard(wrong, 8)
        rest = await asked(world, [guess(world, each) for each in range(1, 4)])
        answer = await world.web.ask(right(world))

    hashes.close()
    assert rest == [WRONG] * 3
    assert isinstance(answer, LoggedIn)


async def test_a_lock_keeps_the_right_password_out_until_it_is_over_and_is_told(
    world: World,
) -> None:
    async with replace(world, settings=HASTY).consuming():
        await register(world)
        await asked(world, [guess(world, each) for each in range(3)])
        while_locked = await world.web.ask(right(world))
        await asyncio.sleep(2.1)
        afterwards = await world.web.ask(right(world))
        rows = await world.rows("SELECT * FROM attempts WHERE state <> 'forgiven'")

    assert while_locked == WRONG
    assert isinstance(afterwards, LoggedIn)
    assert rows == []
    events = await world.events()
    names = [type(each).__name__ for each in events]
    assert names == ["UserCreated", "UserLocked", "UserUnlocked", "SessionStarted"]
    assert [each.sequence for each in events] == [1, 2, 3, 4]
    assert isinstance(events[-1], SessionStarted)


async def test_a_success_clears_what_was_wrong_before(world: World) -> None:
    async with replace(world, settings=PATIENT).consuming():
        await register(world)
        for _ in range(3):
            assert await asked(world, [guess(world, each) for each in range(4)]) == [WRONG] * 4
            assert isinstance(await world.web.ask(right(world)), LoggedIn)


async def test_a_lock_that_commits_first_keeps_out_whoever_was_being_checked(world: World) -> None:
    class Late(HashPool):
        async def verify(self, phc: str | None, password: str) -> Verified:
            verified = await super().verify(phc, password)
            async with world.database.transaction() as db:
                await db.exec_driver_sql("UPDATE users SET locked_until = now() + interval '1 h'")
            return verified

    hashes = Late(world.hashes.hasher)
    async with replace(world, hashes=hashes).consuming():
        await register(world)

        answer = await world.web.ask(right(world))

    hashes.close()
    assert answer == WRONG
    assert not [each for each in await world.events() if isinstance(each, SessionStarted)]


async def test_nothing_in_the_table_of_attempts_tells_an_address(world: World) -> None:
    async with replace(world, settings=PATIENT).consuming():
        await register(world)
        await asked(world, [guess(world, each) for each in range(3)])
        await asked(world, [guess(world, each, "nobody@example.com") for each in range(3)])

    rows = await world.rows("SELECT * FROM attempts")
    assert len(rows) == 6
    assert not [row for row in rows if b"ana" in row["key"] or b"nobody" in row["key"]]
