"""Attempts that no group settles: none stands in the way of others, and each wrong one counts."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus import Code, LoggedIn, LogIn, LogOut, Rejected
from authbus_service.auth.guessing import repository
from authbus_service.auth.guessing.attempt import Attempt
from authbus_service.auth.guessing.rows import Attempts
from authbus_service.consumers import group
from authbus_service.consumers.service import Consumers
from authbus_service.core.ids import new_id
from authbus_service.core.security.hash_pool import HashPool, HashPoolFullError
from authbus_service.core.security.passwords import Verified
from authbus_service.core.sets import Writes
from authbus_service.inbox.repository import Handled
from tests.integration.consumers.guessing import (
    PATIENT,
    Counting,
    asked,
    guess,
    guesses,
    register,
    right,
)
from tests.rig.topics import FEW
from tests.rig.world import World

READ = text("""
SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables
WHERE relname = 'attempts'
""")
MANY_FAILED = """
INSERT INTO attempts (key, command_id, state, at, expires_at)
SELECT sha256(n::text::bytea), gen_random_uuid(), 'failed', now(), now()
FROM generate_series(1, 3000) AS n
"""
HELD = "SELECT 1 FROM attempts WHERE state = 'held'"


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> set[UUID]:
    """Such a command is known once its group has found it claimed, as where two come at once."""
    known, hidden = Consumers._ask_known, set[UUID]()

    async def late(self: Consumers, ids: Sequence[UUID]) -> Mapping[UUID, Handled]:
        if hidden & set(ids):
            hidden.clear()
            return {}
        return await known(self, ids)

    monkeypatch.setattr(Consumers, "_ask_known", late)
    return hidden


async def test_a_copy_that_another_process_overtakes_holds_no_attempt(
    world: World, hidden: set[UUID]
) -> None:
    async with world.consuming():
        await register(world)
        draft = right(world)
        await asked(world, [draft])
        hidden.add(draft.id)
        await world.web.send(draft)
        first, second = await world.web.heard(draft, 2)

    assert not hidden
    assert isinstance(first, LoggedIn)
    assert isinstance(second, LoggedIn)
    assert first.session_id == second.session_id
    assert not await world.rows(HELD)


async def test_a_wrong_guess_counts_whose_id_another_command_took_meanwhile(
    world: World, hidden: set[UUID]
) -> None:
    async with world.consuming():
        await register(world)
        other = world.web.draft(LogOut(session_id=new_id(), refresh_token=SecretStr("nobody")))
        await world.web.ask(other)
        hidden.add(other.id)
        again = guess(world, 1, id_=other.id)
        await world.web.send(again)
        await world.web.heard(again, 2)

    assert not hidden
    assert [each["state"] for each in await guesses(world)] == ["failed"]


async def test_of_guesses_under_one_id_no_more_are_hashed_than_under_many(world: World) -> None:
    hashes, one = Counting(world.hashes), new_id()
    async with replace(world, hashes=hashes, settings=PATIENT).consuming():
        await register(world)
        drafts = [guess(world, each, id_=one) for each in range(30)]
        for number, draft in enumerate(drafts):
            await world.web.send(draft, partition=number % FEW)
        await world.web.heard(drafts[0], 1)
        await asyncio.sleep(1)

    hashes.close()
    assert hashes.verified <= PATIENT["guesses"]


class Failing(HashPool):
    """Every verify ends with this."""

    def __init__(self, pool: HashPool, error: Exception) -> None:
        super().__init__(pool.hasher)
        self.error = error

    async def verify(self, phc: str | None, password: str) -> Verified:
        raise self.error


async def test_a_log_in_whose_hash_raises_holds_no_attempt_and_counts_as_none(
    world: World,
) -> None:
    async with replace(world, hashes=Failing(world.hashes, ZeroDivisionError())).consuming():
        await register(world)
        await world.web.send(right(world))
        await world.dead_letters(1)

    assert not await guesses(world)


async def test_a_log_in_that_finds_no_room_to_hash_holds_no_attempt(world: World) -> None:
    async with replace(world, hashes=Failing(world.hashes, HashPoolFullError())).consuming():
        await register(world)
        answer = await world.web.ask(right(world))

    assert answer == Rejected.because(Code.BUSY)
    assert not await guesses(world)


async def test_a_log_in_that_cannot_be_handled_holds_no_attempt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide: Callable[..., Any] = group.handlers.decide

    def fail(request: Any, *rest: Any) -> Any:
        if isinstance(request.command, LogIn):
            raise ZeroDivisionError
        return decide(request, *rest)

    async with world.consuming():
        await register(world)
        monkeypatch.setattr(group.handlers, "decide", fail)
        await world.web.send(right(world))
        await world.dead_letters(1)

    assert not await world.rows(HELD)


async def test_one_is_let_go_by_its_key_by_a_plan_that_was_made_while_there_were_none(
    world: World,
) -> None:
    gone = Attempt(b"key", new_id(), datetime.now(UTC))

    async def freed(db: AsyncConnection) -> int:
        before = await db.scalar(READ)
        async with Writes.to(db) as writes:
            repository.flush(writes, Attempts(freed=[gone]))
        return await db.scalar(READ) - before

    async with world.database.reading() as db:
        await db.execute(text("VACUUM ANALYZE attempts"))
    async with world.database.transaction() as db:
        # As PostgreSQL chooses by itself after some executions.
        await db.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        await freed(db)
        async with world.database.transaction() as other:
            await other.execute(text(MANY_FAILED))
        read = await freed(db)

    assert read < 100
