"""What holds on a connection that PgBouncer lends by the transaction."""

import pytest
from sqlalchemy import text

from authbus_service.core.database import Database
from authbus_service.startup.database import bring_to_newest, open_database, require_newest
from authbus_service.startup.errors import StartupError
from tests.rig.pooling import Pooler

pytestmark = pytest.mark.gate

LIMITS = (
    "SELECT current_setting('lock_timeout'), current_setting('statement_timeout'),"
    " current_setting('idle_in_transaction_session_timeout'), current_setting('TimeZone')"
)
EVERY = text(LIMITS)


async def test_a_migration_and_queries_go_through_it(lent: Database) -> None:
    await bring_to_newest(lent)
    await require_newest(lent)


async def test_a_transaction_has_our_limits_and_leaves_none_behind(lent: Database) -> None:
    async with lent.transaction() as db:
        during = tuple((await db.execute(EVERY)).one())
    async with lent.reading() as db:
        behind = tuple((await db.execute(EVERY)).one())

    assert during == ("3s", "10s", "5s", "UTC")
    assert behind == ("0", "0", "0", "UTC")


async def test_an_address_that_does_not_say_so_is_refused_with_the_word(
    pooler: Pooler, database_url: str
) -> None:
    silent = open_database(pooler.url(database_url, declared=False))

    with pytest.raises(StartupError, match="put pooler=transaction behind"):
        await require_newest(silent)

    await silent.close()


def test_another_word_for_it_is_refused() -> None:
    with pytest.raises(StartupError, match="pooler can be transaction and nothing else"):
        open_database("postgresql://user:hunter2@db/authbus?pooler=session")
