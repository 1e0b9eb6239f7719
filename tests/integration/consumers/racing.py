"""Commands in random interleavings, through the writers of two processes on a real PostgreSQL."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus.commands import AnyCommand, LogIn, RefreshSession, RegisterUser
from authbus.contract import EVENTS, REPLIES
from authbus.events import AnyEvent
from authbus.message import Reply
from authbus.replies import LoggedIn, Registered, Tokens
from authbus_service.auth.acting import Acting
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.granting import Granting
from authbus_service.auth.handlers import prepare
from authbus_service.auth.outcome import restored
from authbus_service.auth.proof import Policy
from authbus_service.auth.request import Request
from authbus_service.consumers.job import Decided
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.operator import Operator
from authbus_service.core.security.passwords import Hasher
from authbus_service.inbox import partitions
from tests.integration.consumers.grouping import POLICY, Group
from tests.rig.made import MASTERS, a_job, a_request
from tests.rig.world import CHEAP

PASSWORD, TOKEN = SecretStr("correct horse battery"), SecretStr("a token")
AT_ONCE = 10
LONGEST_PAUSE = 0.01
COUNTS = [20, pytest.param(1000, marks=pytest.mark.nightly)]
# Of two kinds: against a new password, and against an account that is shut.
HALF_OF_20_000 = [20, pytest.param(10_000, marks=pytest.mark.nightly)]


@dataclass
class Race:
    """Two processes' writers on one database; `requests` are all that were asked, by id."""

    groups: tuple[Group, Group]
    chance: random.Random
    requests: dict[UUID, Request] = field(default_factory=dict[UUID, Request])

    async def asked(self, command: AnyCommand, acting: Acting | None = None) -> Reply:
        """One command through either writer, with pauses; an operator asks without a session."""
        return await self.told(a_request(command), acting)

    async def told(self, request: Request, acting: Acting | None = None) -> Reply:
        """The same for a request, which may be asked twice."""
        self.requests[request.id] = request
        group = self.chance.choice(self.groups)
        await self.pause()
        later = clock.now() + timedelta(minutes=5)

        def token(_: str) -> Acting | None:
            return acting

        def operator(_: str) -> Operator | None:
            return None if acting else Operator(request.id, later)

        tools = replace(group.tools, token=token, operator=operator)
        proof = await prepare(request, tools)
        await self.pause()
        job = a_job(request, proof)
        group.writer.put(job)
        async with asyncio.timeout(30):
            result = await job.result
        answer = result.answer if isinstance(result, Decided) else restored(result.outcome, REPLIES)
        return Granting("us", lambda claims: str(claims["jti"]))(answer, request)

    async def pause(self) -> None:
        await asyncio.sleep(self.chance.uniform(0, LONGEST_PAUSE))

    async def session(self, email: str) -> LoggedIn:
        """A log-in."""
        session = await self.asked(LogIn(email=email, password=PASSWORD))
        assert isinstance(session, LoggedIn)
        return session

    async def user(self, number: int) -> tuple[str, Acting]:
        """A user with a session."""
        email = f"user{number}@example.com"
        assert isinstance(
            await self.asked(RegisterUser(email=email, password=PASSWORD)), Registered
        )
        return email, acting(await self.session(email))

    async def rows(self, sql: str) -> list[UUID]:
        """The first column."""
        return [next(iter(row.values())) for row in await self.table(sql)]

    async def table(self, sql: str) -> list[dict[str, Any]]:
        async with self.groups[0].database.reading() as db:
            return [dict(row) for row in (await db.execute(text(sql))).mappings()]

    async def events(self) -> list[AnyEvent]:
        return [event for event, _ in await self.timed_events()]

    async def timed_events(self) -> list[tuple[AnyEvent, datetime]]:
        """Every event in order, with the time of its commit."""
        found = await self.table("SELECT type, payload, headers FROM outbox ORDER BY position")
        return [
            (
                EVENTS[row["type"]].model_validate_json(row["payload"]),
                datetime.fromisoformat(dict(row["headers"])["ce_time"]),
            )
            for row in found
            if row["type"] in EVENTS
        ]

    async def no_deadlock(self) -> None:
        """PostgreSQL had to break no circle of waits."""
        found = await self.rows(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        assert found == [0]


@asynccontextmanager
async def racing(database: Database, policy: Policy = POLICY) -> AsyncGenerator[Race]:
    """Two writers that run."""
    async with database.transaction() as db:
        await partitions.keep(db)
    hashes = HashPool(Hasher(CHEAP))
    groups = Group(database, hashes, policy), Group(database, hashes, policy)
    running = [asyncio.create_task(each.writer.run()) for each in groups]
    yield Race(groups, random.Random(random.random()))
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    hashes.close()


def acting(session: Tokens) -> Acting:
    """Who acts by this session's access token."""
    return Acting(session.user_id, session.session_id, clock.now() + timedelta(minutes=5))


def refreshing(held: Tokens) -> Request:
    """The refresh of a session whose tokens are held, under an id of its own."""
    return a_request(RefreshSession(session_id=held.session_id, refresh_token=held.refresh_token))


async def mailed_code(race: Race, purpose: Purpose, address: str) -> SecretStr:
    """The code in the mail of this purpose to this address."""
    async with race.groups[0].database.reading() as db:
        found = await db.exec_driver_sql(
            "SELECT command_id, content, master FROM mails WHERE template = $1 AND address = $2",
            (purpose.value, address),
        )
        row = found.mappings().one()
    return SecretStr(MASTERS.code(purpose, row["command_id"], row["content"], row["master"]))


async def together(one: Callable[[int], Awaitable[None]], count: int) -> None:
    """So many races, some at a time."""
    for first in range(0, count, AT_ONCE):
        await asyncio.gather(*map(one, range(first, first + AT_ONCE)))
