"""Two processes, or two writers, at the same users, addresses and commands."""

# pyright: reportPrivateUsage=false

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace

from pydantic import SecretStr
from sqlalchemy import text

from authbus import (
    Code,
    LoggedIn,
    LoggedOut,
    LogIn,
    LogOut,
    Registered,
    RegisterUser,
    Rejected,
    SessionStarted,
    UserCreated,
)
from authbus_service.core.ids import new_id
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Verified
from tests.rig.crowd import PASSWORD, Crowd, email
from tests.rig.sharing import shared
from tests.rig.world import World

ANA = "ana@example.com"


async def test_two_registers_of_one_address_through_two_processes_have_one_winner(
    world: World,
) -> None:
    web = world.web
    async with world.consuming() as first, world.consuming() as second:
        partitions = await shared(first, second)
        for number in range(6):
            command = RegisterUser(email=email(number), password=PASSWORD)
            drafts = [web.draft(command) for _ in partitions]
            await asyncio.gather(
                *(
                    web.send(draft, partition=partition)
                    for draft, partition in zip(drafts, partitions, strict=True)
                )
            )
            answers = [(await web.heard(draft, 1))[0] for draft in drafts]

            assert sorted(type(answer).__name__ for answer in answers) == ["Registered", "Rejected"]
            assert Rejected.because(Code.EMAIL_TAKEN) in answers

    events = await world.events()
    assert [type(event) for event in events] == [UserCreated] * 6


async def test_one_command_through_two_processes_has_one_effect_and_one_answer(
    world: World,
) -> None:
    web = world.web
    async with world.consuming() as first, world.consuming() as second:
        partitions = await shared(first, second)
        for number in range(6):
            draft = web.draft(RegisterUser(email=email(number), password=PASSWORD))
            await asyncio.gather(*(web.send(draft, partition=each) for each in partitions))
            answer, again = await web.heard(draft, 2)
            assert isinstance(answer, Registered)
            assert answer == again

            log_in = web.draft(LogIn(email=email(number), password=PASSWORD))
            await asyncio.gather(*(web.send(log_in, partition=each) for each in partitions))
            session, same = await web.heard(log_in, 2)
            assert isinstance(session, LoggedIn)
            assert session == same

    events = await world.events()
    assert sum(isinstance(event, UserCreated) for event in events) == 6
    assert sum(isinstance(event, SessionStarted) for event in events) == 6
    assert len(await world.rows("SELECT id FROM inbox")) == 12


async def test_writers_with_the_same_users_never_dead_lock(world: World) -> None:
    crowd = Crowd(world)
    users = 8
    chance = random.Random(7)
    async with world.consuming() as first, world.consuming() as second:
        await shared(first, second)
        await crowd.with_sessions(users)
        for _ in range(3):
            drafts = crowd.log_ins(chance.choices(range(users), k=40))
            drafts += crowd.log_outs(crowd.sessions)
            drafts = [draft.but(key=new_id().bytes) for draft in drafts]
            replies = await crowd.asked(drafts)
            crowd.sessions = [each for each in replies if isinstance(each, LoggedIn)]
            assert all(isinstance(each, LoggedIn | LoggedOut) for each in replies)

    await crowd.checked()
    (found,) = await world.rows(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert found["deadlocks"] == 0


class Hooked(HashPool):
    """A hash pool that lets something happen after a password was verified."""

    def __init__(self, pool: HashPool, world: World, change: str, given: Mapping[str, str]) -> None:
        super().__init__(pool.hasher)
        self._world, self._change, self._given = world, change, given

    async def verify(self, phc: str | None, password: str) -> Verified:
        verified = await super().verify(phc, password)
        async with self._world.database.transaction() as db:
            await db.execute(text(self._change), self._given)
        return verified


async def test_a_log_in_that_verified_an_old_password_loses_to_a_change_that_committed_first(
    world: World,
) -> None:
    web = world.web
    new = SecretStr("another horse battery")
    async with world.consuming():
        await web.ask(web.draft(RegisterUser(email=ANA, password=PASSWORD)))
    change = "UPDATE users SET password_hash = :phc, credential_version = credential_version + 1"
    hashes = Hooked(
        world.hashes, world, change, {"phc": await world.hashes.hash(new.get_secret_value())}
    )

    async with replace(world, hashes=hashes).consuming():
        answer = await web.ask(web.draft(LogIn(email=ANA, password=PASSWORD)))
    async with world.consuming():
        fresh = await web.ask(web.draft(LogIn(email=ANA, password=new)))

    hashes.close()
    assert answer == Rejected.because(Code.INVALID_CREDENTIALS)
    assert isinstance(fresh, LoggedIn)


async def test_a_log_out_beside_log_ins_of_the_same_user_ends_its_session_alone(
    world: World,
) -> None:
    web = world.web
    async with world.consuming():
        await web.ask(web.draft(RegisterUser(email=ANA, password=PASSWORD)))
        session = await web.ask(web.draft(LogIn(email=ANA, password=PASSWORD)))
        assert isinstance(session, LoggedIn)
        over = LogOut(session_id=session.session_id, refresh_token=session.refresh_token)
        drafts = [web.draft(over, key=new_id().bytes) for _ in range(5)]
        drafts += [
            web.draft(LogIn(email=ANA, password=PASSWORD), key=new_id().bytes) for _ in range(10)
        ]
        await asyncio.gather(*(web.send(draft) for draft in drafts))
        answers = [(await web.heard(draft, 1))[0] for draft in drafts]

    assert answers[:5] == [LoggedOut(session_id=session.session_id)] * 5
    assert all(isinstance(answer, LoggedIn) for answer in answers[5:])
    ended = await world.rows("SELECT id FROM sessions WHERE ended_at IS NOT NULL")
    assert ended == [{"id": session.session_id}]
    assert [event.sequence for event in await world.events()] == list(range(1, 14))
