"""What is asked of PostgreSQL again and again reads no more than it finds."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.auth.guessing import repository as guessing
from authbus_service.auth.sessions import repository as sessions
from authbus_service.core.clock import LONG_AGO
from authbus_service.core.database import Database, clock_of
from authbus_service.inbox import partitions
from authbus_service.startup.under_masters import all_lying
from tests.rig.made import MASTERS
from tests.rig.wrapping import with_factors

_SESSIONS = """
    INSERT INTO sessions (id, user_id, client_id, amr, family_hash, refresh_hash, started_at,
        last_used_at, authenticated_at, lapses_at, expires_at)
    SELECT gen_random_uuid(), users.id, 'web', 'pwd', '', '', now(), now(), now(),
        now() + number * interval '1 minute', now() + interval '30 days'
    FROM users, generate_series({over}, {live}) number
"""
_ENDED = "UPDATE sessions SET ended_at = lapses_at - interval '40 days'"
_GUESSES = """
    INSERT INTO attempts (key, command_id, state, at, expires_at)
    SELECT '', gen_random_uuid(), 'failed', now() - number * interval '1 second', now()
    FROM generate_series(1, 5000) number
"""
# Of today there is one alone: a partition of a few is read whole, whatever its index.
_INBOX = """
    INSERT INTO inbox SELECT at, gen_random_uuid(), '', '', 'abcd', at + interval '1 minute', now(),
        '{}'
    FROM (SELECT now() UNION ALL SELECT date_trunc('day', now()) - number * interval '1 minute'
        FROM generate_series(5, 5000) number) asked (at)
"""
_READ = """
    SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables WHERE relname LIKE :name
"""


async def rows_read(db: AsyncConnection, name: str) -> int:
    """Of these tables, in this transaction."""
    return int(await db.scalar(text(_READ), {"name": name}) or 0)


async def test_a_look_for_sessions_that_are_over_reads_none_that_goes_on(
    database: Database,
) -> None:
    await with_factors(database, MASTERS, 1)
    async with database.transaction() as db:
        await db.execute(text(_SESSIONS.format(over=-3, live=5000)))
        await db.execute(text("ANALYZE sessions"))

    async with database.transaction() as db:
        found = await sessions.lapsed(db, 500)
        read = await rows_read(db, "sessions")

    assert (len(found), read < 20) == (4, True), read


async def test_a_look_for_sessions_that_ended_long_ago_reads_none_that_ended_lately(
    database: Database,
) -> None:
    await with_factors(database, MASTERS, 1)
    async with database.transaction() as db:
        await db.execute(text(_SESSIONS.format(over=-3, live=5000)))
        await db.execute(text(_ENDED))
        await db.execute(text("ANALYZE sessions"))

    async with database.transaction() as db:
        before = await clock_of(db) - timedelta(days=40)
        made = await rows_read(db, "sessions")
        last = await sessions.forget(db, since=LONG_AGO, before=before, limit=5000)
        read = await rows_read(db, "sessions") - made

    assert (last is not None, read < 20) == (True, True), read


async def test_a_look_for_guesses_that_count_no_more_reads_none_that_does(
    database: Database,
) -> None:
    async with database.transaction() as db:
        await db.execute(text(_GUESSES))
        await db.execute(text("ANALYZE attempts"))

    async with database.transaction() as db:
        before = await clock_of(db) - timedelta(seconds=4990)
        made = await rows_read(db, "attempts")
        last = await guessing.forget(db, since=LONG_AGO, before=before, limit=5000)
        read = await rows_read(db, "attempts") - made

    assert (last is not None, read < 50) == (True, True), read


async def test_a_look_for_what_lies_under_masters_reads_no_old_answers(database: Database) -> None:
    async with database.transaction() as db:
        await partitions.keep(db)
        await db.execute(text(_INBOX))
        await db.execute(text("ANALYZE inbox"))

    async with database.transaction() as db:
        (answers,) = await all_lying(db)
        read = await rows_read(db, "inbox%")

    assert (answers.master, answers.count, read < 100) == ("abcd", 1, True), read
