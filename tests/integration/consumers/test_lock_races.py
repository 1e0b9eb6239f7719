"""Log-ins against the lock that guesses bring, in random interleavings on a real PostgreSQL."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus.commands import LogIn, RegisterUser
from authbus.contract import EVENTS
from authbus.events import SessionStarted, UserLocked
from authbus.message import Event
from authbus.replies import Code, Registered, Rejected
from authbus_service.auth.guessing.limits import Limits
from authbus_service.auth.handlers import prepare
from authbus_service.auth.outcome import Granted
from authbus_service.consumers.job import Decided
from authbus_service.core.database import Database
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Hasher, Verified
from authbus_service.inbox import partitions
from tests.integration.consumers.grouping import Group
from tests.rig.crowd import assert_in_order
from tests.rig.made import POLICY, a_job, a_request
from tests.rig.world import CHEAP

RIGHT, WRONG = SecretStr("correct horse battery"), SecretStr("staple them together")
REFUSED = Rejected.because(Code.INVALID_CREDENTIALS)
AT_ONCE = 10
LONGEST_PAUSE = 0.04
# More at once than until the lock, so that some are being checked when it comes.
LIMIT = 8
HASTY = replace(POLICY, guessing=Limits(at_once=LIMIT, until_lock=5))


class Counting(HashPool):
    """Remembers how often the wrong password was checked against each hash."""

    def __init__(self) -> None:
        super().__init__(Hasher(CHEAP))
        self.wrong: defaultdict[str | None, int] = defaultdict(int)

    async def verify(self, phc: str | None, password: str) -> Verified:
        self.wrong[phc] += password == WRONG.get_secret_value()
        return await super().verify(phc, password)


@dataclass
class Race:
    """Two processes' writers on one database."""

    groups: tuple[Group, Group]
    hashes: Counting
    chance: random.Random

    async def asked(self, command: LogIn | RegisterUser) -> object:
        """One command through either writer, with pauses; returns its answer."""
        group = self.chance.choice(self.groups)
        await asyncio.sleep(self.chance.uniform(0, LONGEST_PAUSE))
        request = a_request(command)
        proof = await prepare(request, group.tools)
        await asyncio.sleep(self.chance.uniform(0, LONGEST_PAUSE))
        job = a_job(request, proof)
        group.writer.put(job)
        async with asyncio.timeout(20):
            result = await job.result
        return result.answer if isinstance(result, Decided) else result

    async def one(self, number: int) -> tuple[int, int]:
        """One user's race; returns how many right passwords were let in, and how many not."""
        email = f"user{number}@example.com"
        assert isinstance(await self.asked(RegisterUser(email=email, password=RIGHT)), Registered)
        wrong = [self.asked(LogIn(email=email, password=WRONG)) for _ in range(12)]
        right = [self.asked(LogIn(email=email, password=RIGHT)) for _ in range(4)]
        answers = await asyncio.gather(*wrong, *right)

        assert answers[:12] == [REFUSED] * 12
        let_in = sum(isinstance(each, Granted) for each in answers[12:])
        assert answers[12:].count(REFUSED) + let_in == 4
        return let_in, 4 - let_in


@pytest.fixture
async def race(database: Database) -> AsyncIterator[Race]:
    async with database.transaction() as db:
        await partitions.keep(db)
    hashes = Counting()
    groups = Group(database, hashes, HASTY), Group(database, hashes, HASTY)
    running = [asyncio.create_task(each.writer.run()) for each in groups]
    yield Race(groups, hashes, random.Random(random.random()))
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    hashes.close()


@pytest.mark.parametrize("count", [20, pytest.param(1000, marks=pytest.mark.nightly)])
async def test_no_session_follows_a_lock_and_no_guess_is_checked_beyond_the_limit(
    race: Race, count: int
) -> None:
    let_in, kept_out = 0, 0
    for first in range(0, count, AT_ONCE):
        found = await asyncio.gather(*map(race.one, range(first, first + AT_ONCE)))
        let_in += sum(each for each, _ in found)
        kept_out += sum(each for _, each in found)

    async with race.groups[0].database.reading() as db:
        said = (await db.execute(text("SELECT type, payload FROM outbox ORDER BY position"))).all()
    events = [EVENTS[kind].model_validate_json(body) for kind, body in said if kind in EVENTS]
    assert_in_order(events)
    assert 0 < sum(isinstance(each, UserLocked) for each in events) <= count
    assert followers_of_locks(events) == []
    resets = resets_of(events)
    assert len(race.hashes.wrong) <= count
    assert max(race.hashes.wrong.values()) <= LIMIT * (1 + max(resets.values(), default=0))
    assert 0 < kept_out < 4 * count, "both sides must win sometimes"
    assert let_in == sum(resets.values())


def followers_of_locks(events: Iterable[Event]) -> list[Event]:
    """Sessions that started behind their user's lock, which outlasts the test."""
    locked: set[UUID] = set()
    found: list[Event] = []
    for event in events:
        if isinstance(event, UserLocked):
            locked.add(event.user_id)
        if isinstance(event, SessionStarted) and event.user_id in locked:
            found.append(event)
    return found


def resets_of(events: Iterable[Event]) -> dict[UUID, int]:
    """How often each user's wrong guesses were cleared by a right one."""
    found: defaultdict[UUID, int] = defaultdict(int)
    for event in events:
        if isinstance(event, SessionStarted):
            found[event.user_id] += 1
    return found
