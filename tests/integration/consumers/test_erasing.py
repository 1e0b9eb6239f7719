"""An account that is erased: nothing of it stays, and no replay brings it back."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus import (
    Code,
    EraseAccount,
    EraseUser,
    ExportAccount,
    ListSessions,
    LoggedIn,
    LogIn,
    Registered,
    RegisterUser,
    Rejected,
    UserErased,
    UserExport,
    UserIsErased,
)
from authbus.topics import COMMANDS_KEPT
from authbus_service.core.ids import new_id
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Hasher, Verified
from tests.rig.crowd import Crowd, assert_in_order
from tests.rig.operators import by_operator
from tests.rig.producing import Draft
from tests.rig.world import World

ANA, PASSWORD = "ana.of-the-canary@example.com", SecretStr("correct horse battery")
WRONG = SecretStr("another horse battery")
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


class Waiting(HashPool):
    """Each verify waits until it `may` go on; `begun` counts those that came."""

    def __init__(self, hasher: Hasher) -> None:
        super().__init__(hasher)
        self.begun, self.may = asyncio.Semaphore(0), asyncio.Event()

    async def verify(self, phc: str | None, password: str) -> Verified:
        self.begun.release()
        await self.may.wait()
        return await super().verify(phc, password)


async def holding(world: World, words: str) -> set[str]:
    """The tables in which a row has this text; what is still to be said does not count."""
    tables = [row["tablename"] for row in await world.rows(TABLES)]
    return {
        table
        for table in tables
        if table != "outbox"
        and await world.rows(f"SELECT 1 FROM {table} t WHERE t::text ILIKE '%{words}%' LIMIT 1")
    }


async def run(world: World, statement: str) -> None:
    async with world.database.transaction() as db:
        await db.execute(text(statement))


async def with_a_life(world: World) -> tuple[list[Draft], Registered, LoggedIn]:
    """Ana registers, logs in twice and once wrongly; returns all that she sent."""
    web = world.web
    drafts = [web.draft(RegisterUser(email=ANA, password=PASSWORD))]
    drafts += [web.draft(LogIn(email=ANA, password=each)) for each in (PASSWORD, WRONG, PASSWORD)]
    answers = [await web.ask(draft) for draft in drafts]
    user, session = answers[0], answers[-1]
    assert isinstance(user, Registered)
    assert isinstance(session, LoggedIn)
    return drafts, user, session


async def test_an_account_is_erased_by_its_user_with_their_password_alone(world: World) -> None:
    web = world.web
    async with world.consuming():
        _, user, session = await with_a_life(world)
        token = session.access_token
        draft = web.draft(EraseAccount(access_token=token, password=PASSWORD))
        refused = await web.ask(web.draft(EraseAccount(access_token=token, password=WRONG)))
        receipt, again = await web.ask(draft), await web.ask(draft)
        after = await web.ask(web.draft(ListSessions(access_token=token)))
        log_in = await web.ask(web.draft(LogIn(email=ANA, password=PASSWORD)))
        anew = await web.ask(web.draft(RegisterUser(email=ANA, password=PASSWORD)))

    assert refused == log_in == Rejected.because(Code.INVALID_CREDENTIALS)
    assert isinstance(receipt, UserIsErased)
    assert receipt == again
    assert receipt.sessions_ended == 2
    assert timedelta(0) < receipt.commands_gone_at - datetime.now(UTC) <= COMMANDS_KEPT
    assert after == Rejected.because(Code.INVALID_TOKEN)
    assert isinstance(anew, Registered)
    assert anew.user_id != user.user_id
    events = [each for each in await world.events() if each.user_id == user.user_id]
    assert_in_order(events)
    assert isinstance(events[-1], UserErased)


async def test_of_an_erased_account_an_id_stays_and_no_word(world: World) -> None:
    async with world.consuming():
        _, user, _ = await with_a_life(world)
        before = await holding(world, "canary")
        await world.web.ask(
            by_operator(world, lambda proof: EraseUser(access_token=proof, user_id=user.user_id))
        )
        after = await holding(world, "canary")
        ids = await holding(world, str(user.user_id))

    assert {"users", "emails"} <= before
    assert after == set()
    assert {each for each in ids if not each.startswith("inbox")} == {"erased_users"}


@pytest.mark.parametrize("are_held_late", [False, True])
async def test_log_ins_that_are_checked_while_their_user_is_erased_name_them_nowhere(
    world: World, *, are_held_late: bool
) -> None:
    """Late: their accounts were found before the erasure, and their attempts held after it."""
    web, hashes = world.web, Waiting(world.hashes.hasher)
    async with replace(world, hashes=hashes).consuming():
        user = await web.ask(web.draft(RegisterUser(email=ANA, password=PASSWORD)))
        assert isinstance(user, Registered)
        drafts = [
            web.draft(LogIn(email=ANA, password=each), key=new_id().bytes)
            for each in (WRONG, PASSWORD)
        ]
        for each in drafts:
            await web.send(each)
            await hashes.begun.acquire()
        await run(world, "CREATE TABLE late AS SELECT * FROM attempts WHERE state = 'held'")
        await web.ask(
            by_operator(world, lambda proof: EraseUser(access_token=proof, user_id=user.user_id))
        )
        if are_held_late:
            await run(world, "INSERT INTO attempts SELECT * FROM late")
        await run(world, "DROP TABLE late")
        hashes.may.set()
        answers = [answer for each in drafts for answer in await web.heard(each, 1)]
        ids = await holding(world, str(user.user_id))
        failed = await world.rows("SELECT user_id FROM attempts WHERE state = 'failed'")

    hashes.close()
    assert answers == [Rejected.because(Code.INVALID_CREDENTIALS)] * 2
    assert failed == [{"user_id": None}] * 2
    assert {each for each in ids if not each.startswith("inbox")} == {"erased_users"}


async def test_the_state_of_an_erased_user_is_a_tombstone_before_their_last_event(
    world: World,
) -> None:
    async with world.consuming():
        _, user, _ = await with_a_life(world)
        draft = by_operator(
            world, lambda proof: EraseUser(access_token=proof, user_id=user.user_id)
        )
        await world.web.ask(draft)

    *_, tombstone, last = await world.rows(
        "SELECT type, aggregatetype, aggregateid, payload FROM outbox "
        "WHERE aggregatetype <> 'audit.v1' ORDER BY position"
    )
    assert last["type"] == UserErased.wire_type()
    assert tombstone["aggregatetype"] == "state.users.v1"
    assert tombstone["aggregateid"] == str(user.user_id)
    assert tombstone["payload"] is None


async def test_replaying_every_command_does_not_bring_an_erased_user_back(world: World) -> None:
    web, crowd = world.web, Crowd(world)
    async with world.consuming():
        drafts, user, session = await with_a_life(world)
        sessions = await crowd.with_sessions(3)
        erase = web.draft(EraseAccount(access_token=session.access_token, password=PASSWORD))
        await web.ask(erase)
        said = len(await world.events())
        everything = [*drafts, *crowd.drafts, erase]
        for draft in everything:
            await web.send(draft)
        for draft in everything:
            await web.heard(draft, 2)
        replayed = len(await world.events())
        users = await world.rows("SELECT id FROM users")

    assert replayed == said
    assert {each["id"] for each in users} == {each.user_id for each in sessions}
    assert user.user_id not in {each["id"] for each in users}


async def test_a_replay_long_after_its_ids_are_forgotten_is_expired(world: World) -> None:
    web = world.web
    expirytime = datetime.now(UTC) + timedelta(seconds=3)
    async with world.consuming():
        register = web.draft(RegisterUser(email=ANA, password=PASSWORD), expirytime=expirytime)
        user = await web.ask(register)
        assert isinstance(user, Registered)
        await web.ask(
            by_operator(world, lambda proof: EraseUser(access_token=proof, user_id=user.user_id))
        )
        await asyncio.sleep((expirytime - datetime.now(UTC)).total_seconds())
        async with world.database.transaction() as db:
            await db.execute(text("DELETE FROM inbox"))
        again = await web.ask(register)

    assert again == Rejected.because(Code.EXPIRED)
    assert await world.rows("SELECT id FROM users") == []


async def test_an_export_has_every_table_of_its_user_and_no_secret(world: World) -> None:
    web = world.web
    async with world.consuming():
        _, user, session = await with_a_life(world)
        await web.ask(web.draft(RegisterUser(email="bob@example.com", password=PASSWORD)))
        export = await web.ask(web.draft(ExportAccount(access_token=session.access_token)))
        names = [row["tablename"] for row in await world.rows(TABLES)]
        owned = {
            row["table_name"]
            for row in await world.rows(
                "SELECT table_name FROM information_schema.columns WHERE column_name = 'user_id'"
            )
        }

    assert isinstance(export, UserExport)
    assert export.user_id == user.user_id
    assert set(export.tables) == (owned & set(names)) | {"users"}
    (row,) = export.tables["users"]
    assert row["email"] == ANA
    assert len(export.tables["sessions"]) == 2
    shown = repr(export.tables)
    assert ANA not in repr(export)
    assert "bob@example.com" not in shown
    assert "$argon2" not in shown
    assert not [name for name in row if "hash" in name]
