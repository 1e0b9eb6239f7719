"""Guesses on real servers: counted before they are hashed, by account and by source, once each."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import SecretStr

from authbus import (
    ChangePassword,
    LoggedIn,
    LogIn,
    Registered,
    RegisterUser,
    Reply,
    SessionStarted,
    UnlockReason,
    UnlockUser,
    UserIsUnlocked,
    UserLocked,
    UserUnlocked,
)
from authbus_service.core.ids import new_id
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Verified
from tests.integration.consumers.guessing import (
    ANA,
    HASTY,
    PATIENT,
    WRONG,
    Counting,
    asked,
    guess,
    guesses,
    register,
    right,
)
from tests.rig.crowd import PASSWORD
from tests.rig.operators import by_operator
from tests.rig.sharing import shared
from tests.rig.topics import FEW
from tests.rig.world import World


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
    async with one.consuming() as first, two.consuming() as second:
        await register(world)
        places = await shared(first, second)
        drafts = [guess(world, each) for each in range(200)]
        answers: list[Reply] = []
        for some in (drafts[:2], drafts[2:]):
            for number, draft in enumerate(some):
                await world.web.send(draft, partition=places[number % 2])
            answers += [(await world.web.heard(each, 1, within=30))[0] for each in some]

    for each in pools:
        each.close()
    assert answers == [WRONG] * 200
    assert all(each.verified for each in pools)
    assert sum(each.verified for each in pools) == 5


async def test_right_passwords_at_once_wait_for_each_other_and_are_all_let_in(
    world: World,
) -> None:
    async with replace(world, settings=PATIENT).consuming():
        await register(world)

        answers = await asked(world, [right(world) for _ in range(40)])

    assert all(isinstance(each, LoggedIn) for each in answers)
    assert await guesses(world) == []


async def test_a_replayed_or_repeated_command_counts_once(world: World) -> None:
    hashes = Counting(world.hashes)
    async with replace(world, hashes=hashes, settings=PATIENT).consuming():
        await register(world)
        wrong = guess(world, 0)
        for again in range(8):
            await world.web.send(wrong, partition=again % FEW)
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
        rows = [each for each in await guesses(world) if each["state"] != "forgiven"]

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


async def test_an_administrator_ends_a_lock_and_what_was_wrong_counts_no_more(
    world: World,
) -> None:
    async with replace(world, settings=PATIENT).consuming():
        user = await world.web.ask(world.web.draft(RegisterUser(email=ANA, password=PASSWORD)))
        assert isinstance(user, Registered)
        await asked(world, [guess(world, each) for each in range(5)])
        locked = await world.web.ask(right(world))
        unlocked = await world.web.ask(by_operator(world, unlocking(user)))
        again = await asked(world, [guess(world, each) for each in range(4)])
        session = await world.web.ask(right(world))

    assert locked == WRONG
    assert unlocked == UserIsUnlocked(user_id=user.user_id)
    assert again == [WRONG] * 4
    assert isinstance(session, LoggedIn)
    reasons = [each.reason for each in await world.events() if isinstance(each, UserUnlocked)]
    assert reasons == [UnlockReason.ADMIN]


def unlocking(user: Registered) -> Callable[[SecretStr], UnlockUser]:
    return lambda proof: UnlockUser(access_token=proof, user_id=user.user_id)


async def test_whoever_holds_a_session_guesses_no_faster_at_its_password(world: World) -> None:
    hashes = Counting(world.hashes)
    async with replace(world, hashes=hashes, settings=PATIENT).consuming():
        await register(world)
        session = await world.web.ask(right(world))
        assert isinstance(session, LoggedIn)
        changes = [
            ChangePassword(
                access_token=session.access_token,
                current_password=SecretStr(f"wrong guess number {number}"),
                new_password=SecretStr("staple them together"),
            )
            for number in range(50)
        ]
        drafts = [world.web.draft(each, key=new_id().bytes) for each in changes]

        answers = await asked(world, drafts)
        elsewhere = await world.web.ask(right(world))

    hashes.close()
    assert answers == [WRONG] * 50
    assert hashes.verified == 5 + 2
    assert isinstance(elsewhere, LoggedIn)


async def test_a_source_guesses_at_many_accounts_no_more_than_its_limit(world: World) -> None:
    hashes = Counting(world.hashes)
    settings = PATIENT | {"guesses_per_source": 7}
    async with replace(world, hashes=hashes, settings=settings).consuming():
        await register(world)
        at_many = [
            guess(world, each, f"user{each}@example.com", ip_address="192.0.2.7")
            for each in range(60)
        ]
        answers = await asked(world, at_many)
        tried = hashes.verified
        elsewhere = await world.web.ask(right(world))
        from_there = await world.web.ask(
            world.web.draft(LogIn(email=ANA, password=PASSWORD, ip_address="192.0.2.7"))
        )

    hashes.close()
    assert answers == [WRONG] * 60
    assert tried == 7
    assert isinstance(elsewhere, LoggedIn)
    assert from_there == WRONG


async def test_nothing_in_the_table_of_attempts_tells_an_address(world: World) -> None:
    async with replace(world, settings=PATIENT).consuming():
        await register(world)
        await asked(world, [guess(world, each) for each in range(3)])
        await asked(world, [guess(world, each, "nobody@example.com") for each in range(3)])

    rows = await world.rows("SELECT * FROM attempts")
    assert len(await guesses(world)) == 6
    assert len(rows) == 7
    assert not [row for row in rows if b"ana" in row["key"] or b"nobody" in row["key"]]
