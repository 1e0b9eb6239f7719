"""The book has what was written, once: what the relay says again is none of it."""

import asyncpg
from sqlalchemy import true

from authbus_service.core.database import Database
from authbus_service.outbox.again import say_again
from authbus_service.outbox.repository import append, oldest
from tests.chaos.run.stage import BOOK
from tests.integration.relay.world import a_record


async def test_a_row_that_is_said_again_is_in_the_book_once(
    database: Database, database_url: str
) -> None:
    records = [a_record() for _ in range(3)]
    keeper = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await keeper.execute(BOOK)

    async with database.transaction() as db:
        await append(db, records)
    async with database.transaction() as db:
        said = [row.said for row in await oldest(db, 10)]
        assert await say_again(db, said[1:], provided=true()) == 2
    book = await keeper.fetch("SELECT id, position FROM chaos.book ORDER BY position")
    await keeper.close()

    assert [tuple(row) for row in book] == [(each.id, each.position) for each in said]
