"""What a look at the queue of mails costs, and who may change what was taken."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.core.sets import Writes
from authbus_service.outbox import mails
from authbus_service.outbox.mails import QueuedMail

_WITHOUT_USERS = text("SET LOCAL session_replication_role = replica")
_READ = text("""
SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables
WHERE relname = 'mails'
""")
# As PostgreSQL chooses by itself after some executions: one plan, whatever is asked for.
_AS_LATER = text("SET LOCAL plan_cache_mode = force_generic_plan")


def a_mail(due_at: datetime) -> QueuedMail:
    return QueuedMail(
        id=new_id(),
        template="verify_email",
        user_id=new_id(),
        address="ana@example.com",
        command_id=new_id(),
        content=b"",
        master="first",
        made_at=due_at,
        expires_at=due_at + timedelta(days=2),
        due_at=due_at,
    )


async def put(db: AsyncConnection, queued: Sequence[QueuedMail]) -> None:
    await db.execute(_WITHOUT_USERS)
    async with Writes.to(db) as writes:
        mails.add(writes, queued)


async def test_mails_that_wait_for_their_time_are_not_read(database: Database) -> None:
    now = datetime.now(UTC)
    due = [a_mail(now - timedelta(seconds=n)) for n in range(3)]
    later = (a_mail(now + timedelta(hours=1)) for _ in range(3000))
    async with database.transaction() as db:
        await put(db, [*due, *later])
    async with database.transaction() as db:
        await db.execute(text("ANALYZE mails"))
    async with database.transaction() as db:
        taken = await mails.take(db, limit=10, seconds=30)
        read = await db.scalar(_READ)
    assert {each.id for each in taken} == {each.id for each in due}
    assert read is not None
    assert read < 100


async def test_no_more_are_taken_than_asked_for_by_a_plan_that_was_made_while_there_were_none(
    database: Database,
) -> None:
    async with database.reading() as db:
        await db.execute(text("VACUUM ANALYZE mails"))
    first = datetime.now(UTC) - timedelta(minutes=1)
    due = [replace(a_mail(first + timedelta(seconds=n)), id=UUID(int=n)) for n in range(50)]
    async with database.transaction() as db:
        await db.execute(_AS_LATER)
        await mails.take(db, limit=5, seconds=30)
        async with database.transaction() as other:
            await put(other, due)
        taken = await mails.take(db, limit=5, seconds=30)

    assert {each.id for each in taken} == {each.id for each in due[:5]}


async def test_a_mail_is_postponed_and_given_back_only_by_who_has_it(database: Database) -> None:
    async with database.transaction() as db:
        await put(db, [a_mail(datetime.now(UTC))])
        (before,) = await mails.take(db, limit=1, seconds=0)
        (taken,) = await mails.take(db, limit=1, seconds=30)

        await mails.postpone(db, {before: 0.0})
        await mails.give_back(db, [before])
        others = await mails.take(db, limit=1, seconds=30)
        for _ in range(2):  # as after a commit whose answer was lost
            await mails.give_back(db, [taken])
        (again,) = await mails.take(db, limit=1, seconds=30)
    assert others == []
    assert (taken.attempts, again.attempts) == (2, 2)
