"""Log-ins against an account's end, in random interleavings of two writers on a real PostgreSQL."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus.commands import (
    AnyCommand,
    DeactivateUser,
    EndAllSessions,
    EraseAccount,
    EraseUser,
    GrantRole,
    LogIn,
    ReactivateUser,
    RegisterUser,
    RevokeRole,
)
from authbus.contract import EVENTS
from authbus.events import RoleGranted, RoleRevoked, UserErased
from authbus.message import Event
from authbus.replies import Registered, Rejected, UserIsErased
from authbus_service.auth.acting import Acting
from authbus_service.auth.handlers import prepare
from authbus_service.auth.outcome import Granted
from authbus_service.consumers.job import Decided
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.operator import Operator
from authbus_service.core.security.passwords import Hasher
from authbus_service.inbox import partitions
from tests.integration.consumers.grouping import Group
from tests.rig.crowd import assert_in_order
from tests.rig.made import a_job, a_request
from tests.rig.world import CHEAP

PASSWORD, TOKEN = SecretStr("correct horse battery"), SecretStr("a token")
AT_ONCE = 10
LONGEST_PAUSE = 0.01
COUNTS = [100, pytest.param(1000, marks=pytest.mark.nightly)]


@dataclass
class Race:
    """Two processes' writers on one database."""

    groups: tuple[Group, Group]
    chance: random.Random

    async def asked(self, command: AnyCommand, acting: Acting | None = None) -> object:
        """One command through either writer, with pauses; an operator asks without a session."""
        group = self.chance.choice(self.groups)
        await asyncio.sleep(self.chance.uniform(0, LONGEST_PAUSE))
        request = a_request(command)
        later = clock.now() + timedelta(minutes=5)

        def token(_: str) -> Acting | None:
            return acting

        def operator(_: str) -> Operator | None:
            return None if acting else Operator(request.id, later)

        tools = replace(group.tools, token=token, operator=operator)
        proof = await prepare(request, tools)
        await asyncio.sleep(self.chance.uniform(0, LONGEST_PAUSE))
        job = a_job(request, proof)
        group.writer.put(job)
        async with asyncio.timeout(30):
            result = await job.result
        return result.answer if isinstance(result, Decided) else result

    async def user(self, number: int) -> tuple[str, Acting]:
        """A user with a session."""
        email = f"user{number}@example.com"
        registered = await self.asked(RegisterUser(email=email, password=PASSWORD))
        session = await self.asked(LogIn(email=email, password=PASSWORD))
        assert isinstance(registered, Registered)
        assert isinstance(session, Granted)
        until = clock.now() + timedelta(minutes=5)
        return email, Acting(session.user_id, session.session_id, until)

    async def rows(self, sql: str) -> list[UUID]:
        async with self.groups[0].database.reading() as db:
            return list(await db.scalars(text(sql)))

    async def events(self) -> list[Event]:
        async with self.groups[0].database.reading() as db:
            said = await db.execute(text("SELECT type, payload FROM outbox ORDER BY position"))
            return [EVENTS[kind].model_validate_json(body) for kind, body in said if kind in EVENTS]

    async def no_deadlock(self) -> None:
        """PostgreSQL had to break no circle of waits."""
        found = await self.rows(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        assert found == [0]


@pytest.fixture
async def race(database: Database) -> AsyncIterator[Race]:
    async with database.transaction() as db:
        await partitions.keep(db, clock.now())
    hashes = HashPool(Hasher(CHEAP))
    groups = Group(database, hashes), Group(database, hashes)
    running = [asyncio.create_task(each.writer.run()) for each in groups]
    yield Race(groups, random.Random(random.random()))
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    hashes.close()


async def together(one: Callable[[int], Awaitable[None]], count: int) -> None:
    """So many races, some at a time."""
    for first in range(0, count, AT_ONCE):
        await asyncio.gather(*map(one, range(first, first + AT_ONCE)))


@pytest.mark.parametrize("count", COUNTS)
async def test_an_erased_user_has_no_session_whatever_log_ins_hash_meanwhile(
    race: Race, count: int
) -> None:
    async def one(number: int) -> None:
        email, acting = await race.user(number)
        erase = EraseAccount(access_token=TOKEN, password=PASSWORD)
        by_user = race.asked(erase, acting)
        by_admin = race.asked(EraseUser(access_token=TOKEN, user_id=acting.user_id))
        log_ins = [race.asked(LogIn(email=email, password=PASSWORD)) for _ in range(3)]
        ended = race.asked(EndAllSessions(access_token=TOKEN, this_one_too=True), acting)
        answers = await asyncio.gather(by_user, by_admin, ended, *log_ins)
        assert any(isinstance(each, UserIsErased) for each in answers)
        assert all(isinstance(each, Granted | Rejected) for each in answers[3:])

    await together(one, count)

    events = await race.events()
    assert_in_order(events)
    last = {each.user_id: each for each in events}
    assert len(last) == count
    assert all(isinstance(each, UserErased) for each in last.values())
    for table in ("users", "emails", "sessions"):
        assert await race.rows(f"SELECT 1 FROM {table}") == []
    assert len(await race.rows("SELECT id FROM erased_users")) == count
    await race.no_deadlock()


@pytest.mark.parametrize("count", COUNTS)
async def test_a_shut_account_has_no_live_session_whatever_log_ins_hash_meanwhile(
    race: Race, count: int
) -> None:
    async def one(number: int) -> None:
        email, acting = await race.user(number)
        shut = DeactivateUser(access_token=TOKEN, user_id=acting.user_id)
        opened = ReactivateUser(access_token=TOKEN, user_id=acting.user_id)
        log_ins = [race.asked(LogIn(email=email, password=PASSWORD)) for _ in range(3)]
        others = [race.asked(shut), race.asked(shut)]
        if number % 2:
            others.append(race.asked(opened))
        await asyncio.gather(*others, *log_ins)

    await together(one, count)

    events = await race.events()
    assert_in_order(events)
    live = await race.rows(
        "SELECT s.id FROM sessions s JOIN users u ON u.id = user_id "
        "WHERE ended_at IS NULL AND status <> 'active'"
    )
    assert live == []
    assert len(await race.rows("SELECT id FROM users WHERE status <> 'active'")) >= count // 2
    await race.no_deadlock()


@pytest.mark.parametrize("count", COUNTS)
async def test_groups_that_share_users_in_opposite_order_never_dead_lock(
    race: Race, count: int
) -> None:
    pairs = [await race.user(number) for number in range(6)]
    users = [acting for _, acting in pairs]
    for acting in users:
        await race.asked(GrantRole(access_token=TOKEN, user_id=acting.user_id, role="admin"))

    async def one(number: int) -> None:
        """Two administrators change each other's roles, in opposite order, and others' too."""
        first, second = race.chance.sample(users, 2)
        await asyncio.gather(
            race.asked(grant(second), first),
            race.asked(grant(first), second),
            race.asked(EndAllSessions(access_token=TOKEN), first),
            race.asked(grant(race.chance.choice(users)), second),
        )

    def grant(acting: Acting) -> AnyCommand:
        role = GrantRole if race.chance.random() < 0.5 else RevokeRole
        return role(access_token=TOKEN, user_id=acting.user_id, role="clerk")

    await together(one, count)

    events = await race.events()
    assert_in_order(events)
    given = [each for each in events if isinstance(each, RoleGranted | RoleRevoked)]
    assert len(given) > count // 2
    await race.no_deadlock()
