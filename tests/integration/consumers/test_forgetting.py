"""Sessions and guesses of long ago are deleted, a slice at a time, and no other one is."""

from collections.abc import Mapping

import pytest
from sqlalchemy import text

from authbus import (
    Code,
    EndSession,
    LoggedOut,
    LogOut,
    RefreshSession,
    Rejected,
)
from authbus_service.auth.sessions import repository as sessions
from authbus_service.consumers import housekeeping
from authbus_service.consumers.housekeeping import Housekeeping
from authbus_service.core.database import Database
from tests.rig.made import MASTERS
from tests.rig.world import World
from tests.rig.wrapping import with_factors

MADE = text("""
    INSERT INTO sessions (id, user_id, client_id, amr, family_hash, refresh_hash, started_at,
        last_used_at, authenticated_at, lapses_at, expires_at, ended_at)
    SELECT gen_random_uuid(), users.id, :kind, 'pwd', '', '', at, at, at, lapses, lapses,
        now() - make_interval(days => CAST(:ended AS integer), mins => number)
    FROM users, generate_series(1, CAST(:count AS integer)) number,
        (SELECT now() - interval '90 days', now() + make_interval(days => CAST(:lapses AS integer)))
        times (at, lapses)
""")
# In days: when it lapses, and how long ago it ended.
LONG_OVER = {"kind": "ended long ago", "lapses": -60, "ended": 30}
LATELY_OVER = {"kind": "ended lately", "lapses": -60, "ended": 29}
LIVE = {"kind": "live", "lapses": 1, "ended": None}
LAPSED = {"kind": "lapsed, its end untold", "lapses": -60, "ended": None}
GUESSED = text("""
    INSERT INTO attempts (key, command_id, state, at, expires_at)
    SELECT '', gen_random_uuid(), :kind, now() - make_interval(hours => :hours, mins => number),
        now()
    FROM generate_series(1, CAST(:count AS integer)) number
""")
# Which transaction deletes a row of it.
NOTE = "BEGIN INSERT INTO gone DEFAULT VALUES; RETURN NULL; END"
NOTED = (
    "CREATE TABLE gone (xid xid8 DEFAULT pg_current_xact_id())",
    f"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $${NOTE}$$",
    "CREATE TRIGGER noted AFTER DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION note()",
)
SLICES = "SELECT count(*) FROM gone GROUP BY xid ORDER BY xid"
AGED = "UPDATE sessions SET ended_at = ended_at - interval '30 days' WHERE ended_at IS NOT NULL"
HELD = "SELECT FROM sessions ORDER BY ended_at LIMIT 1 FOR UPDATE"


async def have(database: Database, kind: Mapping[str, object], count: int = 1) -> None:
    async with database.transaction() as db:
        await db.execute(MADE, {**kind, "count": count})


async def guess(database: Database, kind: str, hours: int, count: int) -> None:
    async with database.transaction() as db:
        await db.execute(GUESSED, {"kind": kind, "hours": hours, "count": count})


async def note_deletes(database: Database, table: str) -> None:
    async with database.transaction() as db:
        for each in NOTED:
            await db.execute(text(each.format(table=table)))


async def slices_of(database: Database) -> list[int]:
    async with database.reading() as db:
        return list(await db.scalars(text(SLICES)))


async def left(database: Database) -> list[str]:
    async with database.reading() as db:
        return sorted(await db.scalars(text("SELECT client_id FROM sessions")))


@pytest.fixture
async def owned(database: Database) -> Database:
    """With a user, whose sessions they are."""
    await with_factors(database, MASTERS, 1)
    return database


async def test_a_session_is_gone_thirty_days_after_its_end_and_every_other_one_stays(
    owned: Database,
) -> None:
    for kind in (LONG_OVER, LATELY_OVER, LIVE, LAPSED):
        await have(owned, kind)

    await Housekeeping(owned).forget()

    assert await left(owned) == ["ended lately", "lapsed, its end untold", "live"]


@pytest.mark.parametrize(("count", "slices"), [(3, [3]), (7, [3, 3, 1])])
async def test_they_go_in_slices_with_a_transaction_for_each_until_none_is_left(
    owned: Database, monkeypatch: pytest.MonkeyPatch, count: int, slices: list[int]
) -> None:
    monkeypatch.setattr(housekeeping, "_AT_ONCE", 3)
    await have(owned, LONG_OVER, count)
    await have(owned, LATELY_OVER, 5)
    await note_deletes(owned, "sessions")

    await Housekeeping(owned).forget()

    assert await slices_of(owned) == slices
    assert await left(owned) == ["ended lately"] * 5


@pytest.mark.parametrize(("count", "slices"), [(3, [3]), (7, [3, 3, 1])])
async def test_guesses_that_count_no_more_go_in_slices_and_every_other_one_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch, count: int, slices: list[int]
) -> None:
    monkeypatch.setattr(housekeeping, "_AT_ONCE", 3)
    await guess(database, "failed", 25, count)
    await guess(database, "counted", 23, 5)
    await note_deletes(database, "attempts")

    await Housekeeping(database).forget()

    assert await slices_of(database) == slices
    async with database.reading() as db:
        assert list(await db.scalars(text("SELECT state FROM attempts"))) == ["counted"] * 5


async def test_a_wrong_code_is_remembered_for_a_year_and_longer_but_not_for_ever(
    database: Database,
) -> None:
    await guess(database, "kept", 24 * 399, 2)
    await guess(database, "kept", 24 * 402, 3)

    await Housekeeping(database).forget()

    async with database.reading() as db:
        assert list(await db.scalars(text("SELECT state FROM attempts"))) == ["kept"] * 2


async def test_one_that_somebody_else_deletes_at_the_moment_is_left_to_them(
    owned: Database,
) -> None:
    await have(owned, LONG_OVER, 4)
    async with owned.transaction() as db:
        await db.execute(text(HELD))
        await Housekeeping(owned).forget()
        during = await left(owned)

    await Housekeeping(owned).forget()

    assert during == ["ended long ago"]
    assert await left(owned) == []


async def test_who_asks_about_a_session_that_is_gone_is_told_that_there_is_none(
    world: World,
) -> None:
    web = world.web
    async with world.consuming():
        over, goes_on = await world.session(), await world.logged_in()
        tokens = {"session_id": over.session_id, "refresh_token": over.refresh_token}
        log_out = web.draft(LogOut.model_validate(tokens))
        ended = await web.ask(log_out)
        async with world.database.transaction() as db:
            await db.execute(text(AGED))
        await Housekeeping(world.database).forget()
        end = EndSession(access_token=goes_on.access_token, session_id=over.session_id)
        asked = (LogOut.model_validate(tokens), RefreshSession.model_validate(tokens), end)
        answers = [await web.ask(web.draft(each)) for each in asked]
        again = await web.ask(log_out)
    async with world.database.reading() as db:
        shown = await sessions.over(db, over.user_id, 20)

    assert ended == again == LoggedOut(session_id=over.session_id)
    assert answers == [
        Rejected.because(each)
        for each in (Code.INVALID_TOKEN, Code.INVALID_TOKEN, Code.SESSION_UNKNOWN)
    ]
    assert shown == []
    assert [each.sequence for each in await world.events()] == [1, 2, 3, 4]
