"""Log-ins against a password's change, in random interleavings on a real PostgreSQL."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus.commands import AnyCommand, ChangePassword, LogIn, RegisterUser
from authbus.contract import EVENTS
from authbus.events import PasswordChanged, SessionStarted
from authbus.password_replies import PasswordIsChanged
from authbus.replies import Code, Registered, Rejected
from authbus_service.auth.acting import Acting
from authbus_service.auth.handlers import prepare
from authbus_service.auth.outcome import Granted
from authbus_service.consumers.job import Decided
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Hasher
from authbus_service.inbox import partitions
from tests.integration.consumers.grouping import Group
from tests.integration.consumers.racing import HALF_OF_20_000
from tests.rig.crowd import assert_in_order
from tests.rig.made import a_job, a_request
from tests.rig.world import CHEAP

OLD, NEW = SecretStr("correct horse battery"), SecretStr("staple them together")
AT_ONCE = 10
LONGEST_PAUSE = 0.01


@dataclass
class Race:
    """Two processes' writers on one database."""

    groups: tuple[Group, Group]
    chance: random.Random

    async def asked(self, command: AnyCommand, acting: Acting | None = None) -> tuple[UUID, object]:
        """One command through either writer, with pauses; returns its id and its answer."""
        group = self.chance.choice(self.groups)
        await asyncio.sleep(self.chance.uniform(0, LONGEST_PAUSE))
        request = a_request(command)

        def token(_: str) -> Acting | None:
            return acting

        proof = await prepare(request, replace(group.tools, token=token))
        await asyncio.sleep(self.chance.uniform(0, LONGEST_PAUSE))
        job = a_job(request, proof)
        group.writer.put(job)
        async with asyncio.timeout(20):
            result = await job.result
        return request.id, result.answer if isinstance(result, Decided) else result

    async def one(self, number: int) -> set[UUID]:
        """One user's race; returns the commands that named the old password."""
        email = f"user{number}@example.com"
        _, registered = await self.asked(RegisterUser(email=email, password=OLD))
        _, session = await self.asked(LogIn(email=email, password=OLD))
        assert isinstance(registered, Registered)
        assert isinstance(session, Granted)
        acting = Acting(session.user_id, session.session_id, clock.now() + timedelta(minutes=5))
        change = ChangePassword(
            access_token=SecretStr("a token"), current_password=OLD, new_password=NEW
        )
        passwords = [OLD, OLD, OLD, NEW]
        log_ins = [self.asked(LogIn(email=email, password=each)) for each in passwords]
        (_, changed), *others = await asyncio.gather(self.asked(change, acting), *log_ins)

        assert isinstance(changed, PasswordIsChanged)
        for _, answer in others:
            refused = answer == Rejected.because(Code.INVALID_CREDENTIALS)
            assert refused or isinstance(answer, Granted)
        return {id_ for id_, _ in others[:3]}


@pytest.fixture
async def race(database: Database) -> AsyncIterator[Race]:
    async with database.transaction() as db:
        await partitions.keep(db)
    hashes = HashPool(Hasher(CHEAP))
    groups = Group(database, hashes), Group(database, hashes)
    running = [asyncio.create_task(each.writer.run()) for each in groups]
    yield Race(groups, random.Random(random.random()))
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    hashes.close()


@pytest.mark.parametrize("count", HALF_OF_20_000)
async def test_no_session_outlives_or_follows_the_password_that_started_it(
    race: Race, count: int
) -> None:
    with_old: set[UUID] = set()
    for first in range(0, count, AT_ONCE):
        found = await asyncio.gather(*map(race.one, range(first, first + AT_ONCE)))
        with_old.update(*found)

    async with race.groups[0].database.reading() as db:
        said = (await db.execute(text("SELECT type, payload FROM outbox ORDER BY position"))).all()
        live = set(await db.scalars(text("SELECT id FROM sessions WHERE ended_at IS NULL")))
    events = [EVENTS[kind].model_validate_json(body) for kind, body in said if kind in EVENTS]
    assert_in_order(events)
    changed = {each.user_id: each.sequence for each in events if isinstance(each, PasswordChanged)}
    assert len(changed) == count
    by_old = [
        each
        for each in events
        if isinstance(each, SessionStarted) and each.causation_id in with_old
    ]
    assert [each for each in by_old if each.sequence > changed[each.user_id]] == []
    assert [each for each in by_old if each.session_id in live] == []
    assert 0 < len(by_old) < len(with_old), "both sides must win sometimes"
