"""A start is refused while the database is not as it must be."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from authbus_service.auth.guessing import repository as guessing
from authbus_service.auth.guessing.attempt import Attempt, Verdict
from authbus_service.auth.guessing.limits import Limits
from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.startup.database import bring_to_newest, open_database, require_newest
from authbus_service.startup.errors import StartupError
from tests.rig.hurrying import hurry, is_late


async def test_an_empty_database_is_refused_with_the_command_that_migrates_it(
    database_url: str,
) -> None:
    database = open_database(database_url)

    with pytest.raises(StartupError, match="authbus migrate"):
        await require_newest(database)

    await bring_to_newest(database)
    await require_newest(database)
    await database.close()


async def test_a_database_of_another_revision_is_refused(database: Database) -> None:
    async with database.transaction() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    with pytest.raises(StartupError, match="is at revision 0000, this program needs"):
        await require_newest(database)


async def test_a_database_that_a_newer_version_migrated_is_taken_as_it_is(
    database: Database,
) -> None:
    async with database.transaction() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    await require_newest(database)

    assert await bring_to_newest(database) == "9999"


async def test_a_plain_postgresql_address_is_good_enough(database_url: str) -> None:
    database = open_database(database_url.replace("+asyncpg", ""))

    await bring_to_newest(database)

    await database.close()


@pytest.mark.parametrize("change", ["secret", "port", "name"])
async def test_a_database_that_cannot_be_used_is_one_error_without_the_password(
    database_url: str, change: str
) -> None:
    server, _, name = database_url.rpartition("/")
    login, _, _ = server.rpartition("@")
    urls = {
        "secret": database_url.replace(login, "postgresql://authbus:wrong-secret"),
        "port": f"{login}@127.0.0.1:1/{name}",
        "name": f"{server}/nowhere",
    }
    secret = login.rpartition(":")[2] if change != "secret" else "wrong-secret"
    database = open_database(urls[change])

    with pytest.raises(StartupError, match=r"postgresql://127.*DATABASE_URL") as raised:
        await require_newest(database)

    assert secret not in str(raised.value)
    await database.close()


@pytest.mark.parametrize("url", ["mysql://a:b@c/d", "hello", ""])
def test_an_address_of_another_kind_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(StartupError, match="postgresql://user:password@host:5432/name"):
        open_database(url)


@pytest.mark.parametrize("default", ["repeatable read", "serializable"])
async def test_whoever_waited_for_a_lock_sees_what_was_done_under_it_whatever_the_default_is(
    database: Database, database_url: str, default: str
) -> None:
    name = database_url.rpartition("/")[2]
    async with database.transaction() as db:
        await db.execute(
            text(f"ALTER DATABASE {name} SET default_transaction_isolation = '{default}'")
        )
    opened = open_database(database_url)
    until = datetime.now(UTC) + timedelta(minutes=1)

    async def guess() -> Verdict:
        attempt = Attempt(b"one account", new_id(), until)
        async with opened.transaction() as db:
            return (await guessing.reserve(db, [attempt], Limits(at_once=1)))[attempt]

    verdicts = await asyncio.gather(*(guess() for _ in range(5)))

    assert sorted(verdicts, key=lambda each: each.value) == [Verdict.HELD, *[Verdict.WAIT] * 4]
    await opened.close()


@pytest.mark.parametrize("patient", [False, True])
async def test_a_statement_ends_in_time_but_where_patience_is_asked_for(
    database_url: str, *, patient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    database = open_database(database_url, patient=patient)

    late = [await is_late(database.transaction()), await is_late(database.reading())]

    assert late == [not patient] * 2
    await database.close()
