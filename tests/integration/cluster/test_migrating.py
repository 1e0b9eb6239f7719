"""A migration stops no log-in for longer than it may wait for a lock."""

import asyncio
import shutil
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus.commands import LogIn, RegisterUser
from authbus.replies import LoggedIn
from authbus_service.core import migrations
from authbus_service.core.database import Database, connect
from authbus_service.startup import database as startup
from authbus_service.startup.errors import StartupError
from tests.rig.databases import reading_long
from tests.rig.world import World

PASSWORD = SecretStr("correct horse battery")
EMAILS = [f"user{number}@example.com" for number in range(3)]
ENOUGH = 20
NEXT = '''"""What a later version might add."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Uuid(), primary_key=True))
    op.add_column("users", sa.Column("later", sa.Boolean(), server_default=sa.false()))
    op.add_column("sessions", sa.Column("later", sa.Text(), nullable=True))
'''


INDEX = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_sessions_ended_at')"


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The revision of one migration more."""
    before = migrations.newest()
    revision = f"{int(before) + 1:04}"
    folder = Path(shutil.copytree(migrations.migrations_folder(), tmp_path / "migrations"))
    made = NEXT.format(revision=revision, before=before)
    (folder / "versions" / f"{revision}_later.py").write_text(made, encoding="utf-8")
    monkeypatch.setattr(migrations, "migrations_folder", lambda: folder)
    return revision


@asynccontextmanager
async def held(database: Database) -> AsyncGenerator[None]:
    """Somebody reads users, in a transaction that stays open for the length of the block."""
    async with database.engine.connect() as db:
        await db.execute(text("SELECT count(*) FROM users"))
        yield


async def log_ins(world: World, email: str, took: list[float]) -> None:
    """One after the other, without an end."""
    while True:
        began = time.monotonic()
        draft = world.web.draft(LogIn(email=email, password=PASSWORD), key=email.encode())
        assert isinstance(await world.web.ask(draft), LoggedIn)
        took.append(time.monotonic() - began)


@asynccontextmanager
async def under_load(world: World) -> AsyncGenerator[list[float]]:
    """How long each log-in took, of those that were asked for in the block."""
    took: list[float] = []
    async with world.consuming():
        for email in EMAILS:
            await world.web.ask(world.web.draft(RegisterUser(email=email, password=PASSWORD)))
        asked = [asyncio.create_task(log_ins(world, email, took)) for email in EMAILS]
        yield took
        for each in asked:
            each.cancel()
        ended = await asyncio.gather(*asked, return_exceptions=True)
    assert [each for each in ended if not isinstance(each, asyncio.CancelledError)] == []


@pytest.mark.slow
async def test_no_log_in_waits_a_second_longer_while_a_migration_waits_for_somebody(
    world: World, later: str
) -> None:
    async with under_load(world) as took:
        while len(took) <= ENOUGH:  # noqa: ASYNC110 - counted by others
            await asyncio.sleep(0.02)
        usual = max(took)
        took.clear()
        async with held(world.database):
            migrating = asyncio.create_task(migrations.migrate(world.database))
            await asyncio.sleep(3)
            while len(took) <= ENOUGH:  # noqa: ASYNC110 - counted by others
                await asyncio.sleep(0.02)
            assert not migrating.done()
        assert await migrating == later
        done = len(took)
        while len(took) < done + 2 * len(EMAILS):  # noqa: ASYNC110 - counted by others
            await asyncio.sleep(0.02)

    assert max(took) < usual + 1


async def test_a_migration_that_gets_no_lock_changes_nothing_and_says_how_to_find_who_has_it(
    database: Database, later: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(startup, "migrate", partial(migrations.migrate, patience=0))
    before = await migrations.current(database)

    async with held(database):
        with pytest.raises(StartupError, match="pg_stat_activity"):
            await startup.bring_to_newest(database)

    assert await migrations.current(database) == before
    assert await migrations.migrate(database) == later


async def without_the_index(database: Database) -> None:
    """The database as the version before had it."""
    async with database.transaction() as db:
        await db.execute(text("DROP INDEX ix_sessions_ended_at"))
        await db.execute(text("ALTER TABLE mails DROP COLUMN unanswered"))
        await db.execute(text("DROP FUNCTION outbox_begin"))
        await db.execute(text("ALTER TABLE installation DROP COLUMN outbox_floor"))
        await db.execute(text("UPDATE alembic_version SET version_num = '0005'"))


async def index(database: Database) -> bool | None:
    """Whether it is of use; None where there is none."""
    async with database.reading() as db:
        return await db.scalar(text(INDEX))


async def test_sessions_are_written_while_their_index_waits_for_a_long_transaction(
    database: Database,
) -> None:
    await without_the_index(database)

    async with reading_long(database):
        migrating = asyncio.create_task(migrations.migrate(database))
        async with asyncio.timeout(10):
            while await index(database) is None:  # noqa: ASYNC110 - made by another task
                await asyncio.sleep(0.02)
        async with asyncio.timeout(1), database.transaction() as db:
            await db.execute(text("DELETE FROM sessions"))
            await db.execute(text("LOCK sessions IN ROW EXCLUSIVE MODE"))
        during = await index(database)

    assert await migrating == migrations.newest()
    assert (during, await index(database)) == (False, True)


async def test_an_index_that_was_not_finished_is_made_anew(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await without_the_index(database)
    folder = Path(shutil.copytree(migrations.migrations_folder(), tmp_path / "migrations"))
    (made,) = (folder / "versions").glob("0006_*.py")
    made.write_text(made.read_text("utf-8").replace("'60s'", "'100ms'"), encoding="utf-8")
    monkeypatch.setattr(migrations, "migrations_folder", lambda: folder)

    async with reading_long(database):
        with pytest.raises(migrations.TablesHeldError):
            await migrations.migrate(database, patience=0)
    unfinished = await index(database), await migrations.current(database)
    found = await migrations.migrate(database)

    assert unfinished == (False, "0005")
    assert (await index(database), found) == (True, migrations.newest())


async def test_processes_that_migrate_at_once_do_it_one_after_the_other(
    database_url: str,
) -> None:
    both = [connect(database_url) for _ in range(2)]

    found = await asyncio.gather(*map(migrations.migrate, both))

    assert found == [migrations.newest()] * 2
    assert await index(both[0])
    for each in both:
        await each.close()
