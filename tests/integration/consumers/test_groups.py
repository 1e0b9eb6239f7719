"""Groups on a real PostgreSQL: one transaction, and what one command does to its neighbours."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus.commands import LogIn, RegisterUser
from authbus.replies import Code, Registered, Rejected
from authbus_service.auth.outcome import Granted
from authbus_service.consumers.group import Grouping
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.ids import id_time
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Hasher
from authbus_service.inbox import fence, partitions
from authbus_service.inbox import repository as inbox
from tests.integration.consumers.grouping import PLACE, POLICY, Group
from tests.rig.made import a_job
from tests.rig.world import CHEAP

PASSWORD = SecretStr("correct horse battery")


@pytest.fixture
async def group(database: Database) -> AsyncIterator[Group]:
    async with database.transaction() as db:
        await partitions.keep(db)
    made = Group(database, HashPool(Hasher(CHEAP)))
    running = asyncio.create_task(made.writer.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    made.hashes.close()


def register(name: str) -> RegisterUser:
    return RegisterUser(email=f"{name}@example.com", password=PASSWORD)


def log_in(name: str) -> LogIn:
    return LogIn(email=f"{name}@example.com", password=PASSWORD)


@asynccontextmanager
async def locked(database: Database, name: str) -> AsyncGenerator[None]:
    """This user's row is held by somebody else for as long as the block lasts."""
    async with database.transaction() as db:
        found = await db.execute(
            text(
                "SELECT 1 FROM users JOIN emails ON users.id = user_id"
                " WHERE canonical = :name FOR UPDATE OF users"
            ),
            {"name": f"{name}@example.com"},
        )
        assert found.rowcount == 1
        yield


async def test_a_group_is_one_transaction_with_its_answers_events_and_fence(group: Group) -> None:
    jobs = [await group.job(register(f"u{n}"), offset=n) for n in range(20)]

    answers = await group.done(*jobs)

    assert all(isinstance(answer, Registered) for answer in answers)
    assert await group.scalar("SELECT count(DISTINCT xmin::text) FROM users") == 1
    for table in ("users", "emails", "inbox"):
        assert await group.scalar(f"SELECT count(*) FROM {table}") == 20
    assert await group.scalar("SELECT count(*) FROM outbox") == 60
    assert group.told == [{PLACE: 20}]
    async with group.database.reading() as db:
        assert await fence.read(db) == {PLACE: 20}


async def test_the_fence_that_is_told_is_the_one_that_was_written(group: Group) -> None:
    grown = iter(range(5, 100))

    def below(_: object) -> dict[tuple[str, int], int]:
        return {PLACE: next(grown)}

    grouping = Grouping(group.database, POLICY, below)

    done = await grouping.together([await group.job(register("ana"))])

    assert done.fence == {PLACE: 5}
    async with group.database.reading() as db:
        assert await fence.read(db) == done.fence


async def test_two_registers_of_one_address_have_one_winner(group: Group) -> None:
    jobs = [await group.job(register("ana")) for _ in range(5)]

    answers = await group.done(*jobs)

    assert isinstance(answers[0], Registered)
    assert answers[1:] == [Rejected.because(Code.EMAIL_TAKEN)] * 4
    assert await group.scalar("SELECT count(*) FROM users") == 1


async def test_one_that_the_database_refuses_fails_alone(group: Group) -> None:
    jobs = [await group.job(register(f"u{n}")) for n in range(9)]
    jobs[4].traceparent = "not text for PostgreSQL: \0"

    answers = await group.done(*jobs)

    assert [isinstance(answer, Registered) for answer in answers] == [n != 4 for n in range(9)]
    assert isinstance(answers[4], Exception)
    assert await group.scalar("SELECT count(*) FROM users") == 8
    assert await group.scalar("SELECT count(*) FROM inbox") == 8


async def test_a_user_who_is_locked_elsewhere_waits_alone(group: Group) -> None:
    await group.done(*[await group.job(register(f"u{n}")) for n in range(5)])
    waiting = await group.job(log_in("u0"))
    clocked = asyncio.get_running_loop().time

    async with locked(group.database, "u0"):
        start = clocked()
        group.writer.put(waiting)
        for _ in range(5):
            jobs = [await group.job(log_in(f"u{n}")) for n in range(1, 5)]
            answers = await group.done(*jobs)
            assert all(isinstance(answer, Granted) for answer in answers)
        took = clocked() - start
        await asyncio.sleep(1 - took)
        assert not waiting.result.done()

    assert took < 1, "the others waited for it too"
    assert [isinstance(each, Granted) for each in await group.results(waiting)] == [True]


async def test_one_that_waits_longer_than_a_lock_may_take_is_not_given_up(group: Group) -> None:
    await group.done(await group.job(register("ana")))
    waiting = await group.job(log_in("ana"))
    group.grouping = Grouping(_impatient(group.database), POLICY, group.below)
    group.writer._grouping = group.grouping

    async with locked(group.database, "ana"):
        group.writer.put(waiting)
        await asyncio.sleep(0.5)
        assert not waiting.result.done()

    async with asyncio.timeout(5):
        assert [isinstance(each, Granted) for each in await group.results(waiting)] == [True]


def _impatient(database: Database) -> Database:
    class Impatient(Database):
        @asynccontextmanager
        async def transaction(self) -> AsyncGenerator[Any]:
            async with super().transaction() as db:
                await db.execute(text("SET LOCAL lock_timeout = 50"))
                yield db

    return Impatient(database.engine)


async def test_what_expired_while_it_waited_has_no_effect_and_leaves_its_address_free(
    group: Group,
) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    late, in_time = (
        await group.job(register("ana"), expires_at=past),
        await group.job(register("ana")),
    )

    expired, registered = await group.done(late, in_time)

    assert expired == Rejected.because(Code.EXPIRED)
    assert isinstance(registered, Registered)
    assert await group.scalar("SELECT count(*) FROM inbox") == 2


async def test_an_id_older_than_the_inbox_remembers_is_never_executed(group: Group) -> None:
    job = await group.job(register("ana"))
    forgotten = partitions.oldest(clock.now()) - timedelta(seconds=1)
    aged = (int(forgotten.timestamp() * 1000) << 80) | (job.request.id.int & ((1 << 80) - 1))
    request = replace(job.request, id=UUID(int=aged))
    assert id_time(request.id) is not None

    (answer,) = await group.done(a_job(request, job.proof))

    assert answer == Rejected.because(Code.EXPIRED)
    for table in ("users", "emails", "inbox"):
        assert await group.scalar(f"SELECT count(*) FROM {table}") == 0


async def test_a_command_that_was_handled_is_answered_from_the_inbox(group: Group) -> None:
    for command in (register("ana"), log_in("ana")):
        first = await group.job(command)
        await group.done(first)

        again = a_job(first.request, first.proof)
        (answer,) = await group.done(again)

        assert isinstance(answer, inbox.Handled)
        assert answer.id == first.request.id
    assert await group.scalar("SELECT count(*) FROM outbox") == 5
    assert await group.scalar("SELECT count(*) FROM sessions") == 1


async def test_a_wrong_guess_counts_also_where_nobody_waits_for_its_answer(group: Group) -> None:
    await group.done(await group.job(register("ana")))
    wrong = log_in("ana").model_copy(update={"password": SecretStr("wrong horse battery")})

    for command in (*[wrong] * 8, log_in("ana")):
        soon = clock.now() + timedelta(milliseconds=100)
        job = await group.job(command, expires_at=soon)
        await asyncio.sleep((soon - clock.now()).total_seconds() + 0.02)
        assert await group.done(job) == [Rejected.because(Code.EXPIRED)]

    at_once = POLICY.guessing.at_once
    assert await group.scalar("SELECT count(*) FROM attempts WHERE state = 'failed'") == at_once
    counts = "SELECT count(*) FROM attempts WHERE state <> 'counted'"
    assert await group.scalar(counts) == at_once


async def test_in_one_group_a_right_password_forgives_the_wrong_one_before_it_alone(
    group: Group,
) -> None:
    await group.done(await group.job(register("ana")))
    wrong = log_in("ana").model_copy(update={"password": SecretStr("wrong horse battery")})
    before, right, after = [await group.job(each) for each in (wrong, log_in("ana"), wrong)]

    _, session, _ = await group.done(before, right, after)

    assert isinstance(session, Granted)
    async with group.database.reading() as db:
        found = await db.execute(text("SELECT command_id, state FROM attempts"))
        states = {row.command_id: row.state for row in found}
    ids = [each.request.id for each in (before, right, after)]
    assert [states.get(each) for each in ids] == ["forgiven", None, "failed"]
