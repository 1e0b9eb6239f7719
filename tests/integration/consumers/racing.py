"""Commands through two processes' writers on one database, in random interleavings."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus.commands import AnyCommand, LogIn, RegisterUser
from authbus.contract import EVENTS
from authbus.message import Event
from authbus.replies import Registered
from authbus_service.auth.acting import Acting
from authbus_service.auth.handlers import prepare
from authbus_service.auth.outcome import Granted
from authbus_service.consumers.job import Decided
from authbus_service.core import clock
from authbus_service.core.security.operator import Operator
from tests.integration.consumers.grouping import Group
from tests.rig.made import a_job, a_request

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


async def together(one: Callable[[int], Awaitable[None]], count: int) -> None:
    """So many races, some at a time."""
    for first in range(0, count, AT_ONCE):
        await asyncio.gather(*map(one, range(first, first + AT_ONCE)))
