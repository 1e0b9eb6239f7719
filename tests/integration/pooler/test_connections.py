"""What holds on a connection that PgBouncer lends by the transaction."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from authbus_service.core.database import Database
from authbus_service.embedded import Addresses
from authbus_service.outbox.repository import CHANNEL
from authbus_service.relay.loop import Pace
from authbus_service.relay.notifications import listen
from authbus_service.startup.database import bring_to_newest, open_database, require_newest
from authbus_service.startup.errors import StartupError
from tests.integration.relay.conftest import made_world
from tests.integration.relay.world import World, a_record, running
from tests.rig.hurrying import hurry, is_late
from tests.rig.pooling import Pooler

pytestmark = pytest.mark.slow

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


@pytest.mark.parametrize("patient", [False, True])
async def test_a_statement_ends_in_time_but_where_patience_is_asked_for(
    pooler: Pooler, database_url: str, *, patient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    behind = open_database(pooler.url(database_url), patient=patient)

    late = [await is_late(behind.transaction()), await is_late(behind.reading())]

    assert late == [not patient] * 2
    await behind.close()


async def test_listening_ends_at_once_where_nothing_would_be_heard(lent: Database) -> None:
    heard = asyncio.Event()

    await asyncio.wait_for(listen(lent, CHANNEL, heard.set), 1)

    assert not heard.is_set()


@pytest.fixture
async def beside(
    addresses: Addresses, lent: Database, database: Database, namespace: str
) -> tuple[World, World]:
    """One whose relay goes by the pooler, and the same for who writes on other connections."""
    behind = await made_world(addresses, lent, namespace)
    return behind, replace(behind, database=database)


@pytest.mark.parametrize(("poll", "waiting"), [(0.2, 0), (30, 1)], ids=["soon", "late"])
async def test_what_another_connection_writes_is_found_by_looking_again_and_by_nothing_else(
    beside: tuple[World, World], poll: float, waiting: int
) -> None:
    behind, other = beside
    await other.write(a_record())
    async with running(behind.relay(pace=Pace(poll=poll, heartbeat=30))):
        await other.until_said()
        await asyncio.sleep(0.3)

        await other.write(a_record())
        await asyncio.sleep(1)
        left = await other.waiting()

    assert left == waiting


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
