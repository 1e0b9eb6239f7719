"""What a look at the queue of mails costs."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

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


async def test_mails_that_wait_for_their_time_are_not_read(database: Database) -> None:
    now = datetime.now(UTC)
    due = [a_mail(now - timedelta(seconds=n)) for n in range(3)]
    async with database.transaction() as db:
        await db.execute(_WITHOUT_USERS)
        async with Writes.to(db) as writes:
            later = (a_mail(now + timedelta(hours=1)) for _ in range(3000))
            mails.add(writes, [*due, *later])
    async with database.transaction() as db:
        await db.execute(text("ANALYZE mails"))
    async with database.transaction() as db:
        taken = await mails.take(db, limit=10, seconds=30)
        read = await db.scalar(_READ)
    assert {each.id for each in taken} == {each.id for each in due}
    assert read is not None
    assert read < 100
