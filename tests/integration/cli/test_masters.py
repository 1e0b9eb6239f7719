"""`authbus keys replace-master` as a program: the runbook's way, and what is left when it dies."""

import asyncio
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from authbus.topics import COMMANDS_KEPT
from authbus_service.auth.rewrapping import by_master
from authbus_service.cluster.installation import settle
from authbus_service.core.database import Database
from authbus_service.core.security import repository
from authbus_service.core.security.masters import Masters
from authbus_service.startup.keys import open_keyring
from tests.integration.cli.conftest import KEPT, Authbus
from tests.rig import programs
from tests.rig.runbook import commands
from tests.rig.wrapping import with_factors

pytestmark = pytest.mark.slow

ONE, TWO = secrets.token_bytes(32), secrets.token_bytes(32)
OLD, NEW = Masters([ONE]), Masters([TWO, ONE])


@pytest.fixture
async def settings(database: Database, database_url: str) -> dict[str, str]:
    """A database with keys of the old master, and the new one in front of it."""
    await settle(database, namespace="auth", cluster_id="here")
    await open_keyring(database, OLD)
    return {"DATABASE_URL": database_url, "AUTHBUS_MASTER_KEY": f"{TWO.hex()},{ONE.hex()}"}


async def eight_days_pass(database: Database) -> None:
    at = datetime.now(UTC) - COMMANDS_KEPT - timedelta(minutes=1)
    async with database.transaction() as db:
        found = [key for key in await repository.keys(db) if key.retired_at is not None]
        await repository.set_retired(db, [replace(key, retired_at=at) for key in found])


async def wrapped_under(database: Database) -> Mapping[str, int]:
    async with database.reading() as db:
        return await by_master(db)


async def test_the_runbooks_way_ends_with_nothing_left_under_the_old_master(
    authbus: Authbus, database: Database, settings: dict[str, str]
) -> None:
    await with_factors(database, OLD, 2)
    look, begin, again = commands("A key leaked, or is to be replaced")[1:]

    foretold = await authbus(*look, **settings)
    refused = await authbus(*again, **settings)
    trust = foretold.err.strip().rpartition(": ")[2]
    begun = await authbus(*(trust if each == "THUMBPRINT" else each for each in begin), **settings)
    await eight_days_pass(database)
    ended = await authbus(*again, **settings)

    statuses = [each.status for each in (foretold, refused, begun, ended)]
    assert statuses == [1, 1, 1, 0], ended.err
    *rows, closing = map(json.loads, foretold.out.splitlines())
    assert [(row["place"], row["what"], row["count"]) for row in rows] == [
        ("previous", "sealing keys", 1),
        ("previous", "second factors", 2),
        ("previous", "signing keys", 1),
    ]
    assert (closing["master"], closing["left"]) == (OLD.current, 4)
    assert f"--trusted {trust}" in refused.err
    assert json.loads(begun.err.splitlines()[0])["step"] == "second factors"
    left = json.loads(begun.out.splitlines()[-1])
    assert (left["left"], left["until"][:2]) == (2, "20")
    assert json.loads(ended.out.splitlines()[-1]) == {
        "master": OLD.current,
        "left": 0,
        "until": None,
        "says": f"nothing is left under {OLD.current}: take it out of AUTHBUS_MASTER_KEY",
    }


async def test_whoever_has_one_master_is_told_to_put_a_new_one_behind_it_first(
    authbus: Authbus, settings: dict[str, str]
) -> None:
    alone = settings | {"AUTHBUS_MASTER_KEY": ONE.hex()}

    looked = await authbus("keys", "replace-master", "--dry-run", **alone)

    assert looked.status == 0
    assert "Put a new one behind it in every process, and then in front" in looked.err


async def test_one_that_was_killed_half_way_is_run_again_and_does_what_is_left(
    authbus: Authbus, database: Database, settings: dict[str, str], tmp_path: Path
) -> None:
    ids = await with_factors(database, OLD, 1200)
    arguments = ("keys", "replace-master", "--trusted", NEW.root_thumbprint())

    async with database.transaction() as db:
        await db.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        await db.execute(
            text("SELECT 1 FROM factors WHERE user_id = :id FOR UPDATE"), {"id": ids[700]}
        )
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        child = await programs.start(*arguments, environment={**kept, **settings}, folder=tmp_path)
        told = json.loads(await asyncio.wait_for(child.stderr.readline(), 30))
        child.kill()
        await child.wait()
    between = await wrapped_under(database)
    again = await authbus(*arguments, **settings)

    assert (told["done"], told["of"]) == (500, 1200)
    assert between == {NEW.current: 500, OLD.current: 700}
    assert json.loads(again.out.splitlines()[-1])["left"] == 2
    assert await wrapped_under(database) == {NEW.current: 1200}
