"""A command has one effect and one answer, however often it comes and whatever fails meanwhile."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus import Code, LoggedIn, LogIn, LogOut, Registered, RegisterUser, Rejected
from authbus_service.core.database import Database
from tests.rig.crowd import PASSWORD, Crowd
from tests.rig.offsets import all_finished
from tests.rig.world import World

ANA = "ana@example.com"
REGISTER = RegisterUser(email=ANA, password=PASSWORD)
LOG_IN = LogIn(email=ANA, password=PASSWORD)
TABLES = ("users", "emails", "sessions", "inbox", "outbox")


async def dump(world: World) -> dict[str, list[str]]:
    """Every row of every table, the transaction that wrote it included."""
    return {
        table: [
            row["line"]
            for row in await world.rows(
                f"SELECT xmin || ' ' || t AS line FROM {table} t ORDER BY 1"
            )
        ]
        for table in TABLES
    }


async def expire_all(world: World) -> None:
    """What was handled has now expired, however slow this machine is."""
    async with world.database.transaction() as db:
        await db.execute(text("UPDATE inbox SET expires_at = now()"))


async def test_a_replay_of_handled_commands_changes_no_table(world: World) -> None:
    crowd = Crowd(world)
    async with world.consuming():
        await crowd.with_sessions(15)
        await crowd.asked(crowd.log_outs(crowd.sessions))
        await crowd.asked(crowd.registers(range(15)))
        before = await dump(world)

        for _ in range(3):
            for draft in crowd.drafts:
                await world.web.send(draft)
        for draft in crowd.drafts:
            await world.web.heard(draft, 4)
        await all_finished(world)

    assert await dump(world) == before
    await crowd.checked()


async def test_after_its_expiry_a_handled_command_is_only_counted(world: World) -> None:
    web = world.web
    draft = web.draft(REGISTER)
    async with world.consuming():
        answer = await web.ask(draft)
        await expire_all(world)
        before = await dump(world)
        await web.send(draft)
        await all_finished(world)
        await asyncio.sleep(0.1)

    assert isinstance(answer, Registered)
    assert len(web.answers(draft.id)) == 1
    assert await dump(world) == before


async def test_a_command_that_expired_while_it_waited_starts_no_session(world: World) -> None:
    web = world.web
    async with world.consuming():
        await web.ask(web.draft(REGISTER))
    late = web.draft(LOG_IN, expirytime=datetime.now(UTC) + timedelta(milliseconds=1))
    await web.send(late)

    async with world.consuming():
        (answer,) = await web.heard(late, 1)
        await web.send(late)
        await all_finished(world)

    assert answer == Rejected.because(Code.EXPIRED)
    assert await world.rows("SELECT id FROM sessions") == []
    (kept,) = await world.rows(f"SELECT outcome FROM inbox WHERE id = '{late.id}'")
    assert kept["outcome"]["data"]["code"] == "expired"
    assert len(await world.events()) == 1


def forgetful(database: Database, losses: list[int]) -> Database:
    """The database; for each of the losses the answer of a COMMIT of commands is lost."""

    class Forgetful(Database):
        @asynccontextmanager
        async def transaction(self) -> AsyncGenerator[AsyncConnection]:
            claims: list[str] = []

            def note(*told: Any) -> None:
                if told[2].startswith("INSERT INTO inbox"):
                    claims.append(told[2])

            async with super().transaction() as db:
                event.listen(db.sync_connection, "before_cursor_execute", note)
                yield db
            if claims and losses:
                losses.pop()
                raise ConnectionResetError

    return Forgetful(database.engine)


async def test_an_unknown_commit_is_run_again_and_has_one_effect(world: World) -> None:
    web = world.web
    answers: list[Any] = []
    losses: list[int] = []
    async with replace(world, database=forgetful(world.database, losses)).consuming():
        for command in (REGISTER, LOG_IN):
            losses.append(1)
            draft = web.draft(command)
            answers.append(await web.ask(draft))
            assert not losses
            assert await web.ask(draft) == answers[-1]
        session = answers[1]
        losses.append(1)
        over = LogOut(session_id=session.session_id, refresh_token=session.refresh_token)
        await web.ask(web.draft(over))
        assert not losses

    registered, session = answers
    assert isinstance(registered, Registered)
    assert isinstance(session, LoggedIn)
    assert session.user_id == registered.user_id
    assert [each.sequence for each in await world.events()] == [1, 2, 3]
    assert len(await world.rows("SELECT id FROM inbox")) == 3


async def test_a_retry_sealed_anew_is_answered_after_the_first_ones_expiry(world: World) -> None:
    web = world.web
    first = web.draft(REGISTER)
    async with world.consuming():
        answer = await web.ask(first)
        await expire_all(world)

        retry = await web.ask(web.draft(REGISTER, id_=first.id))

    assert isinstance(answer, Registered)
    assert retry == answer
