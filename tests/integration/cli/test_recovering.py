"""`authbus recover` as a program: the report has its place, whatever becomes of the output."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from authbus.topics import CREDENTIALS
from tests.integration.cli.conftest import Authbus, kept
from tests.rig.accident import backup, forget_commands, serving
from tests.rig.crowd import Crowd
from tests.rig.operating import settings_of
from tests.rig.world import World


@pytest.fixture
async def back(world: World) -> AsyncIterator[World]:
    """A copy that knows nothing of somebody whose command is gone."""
    copy = await backup(world.database)
    async with serving(world):
        await Crowd(world).asked(Crowd(world).registers([0]))
    await forget_commands(world.servers, world.namespace)
    yield replace(world, database=copy)
    await copy.close()


def lost(file: Path) -> list[str]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return [each["what"] for each in found["lost"]]


def reports(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.glob("*recovery*"))


async def test_a_report_is_written_though_nobody_reads_the_output_and_no_second_run_takes_it_away(
    back: World, authbus: Authbus, tmp_path: Path
) -> None:
    settings, file = await settings_of(back), tmp_path / "recovery.json"
    recover = ("recover", "--report", str(file))
    reads, writes = os.pipe()
    os.close(reads)

    unread = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "authbus_service", *recover),
        stdout=writes,
        stderr=asyncio.subprocess.DEVNULL,
        env={**kept(), **settings},
    )
    os.close(writes)
    await asyncio.wait_for(unread.wait(), 60)
    first = lost(file)
    again = await authbus(*recover, **settings)

    assert unread.returncode != 0
    assert again.status == 0
    assert first == ["password"]
    assert lost(file) == []
    assert lost(tmp_path / "recovery.json.1") == ["password"]
    assert reports(tmp_path) == ["recovery.json", "recovery.json.1"]


async def test_a_place_that_cannot_be_written_is_refused_before_anything_is_done(
    back: World, authbus: Authbus, tmp_path: Path
) -> None:
    nowhere = tmp_path / "none" / "recovery.json"

    ended = await authbus("recover", "--report", str(nowhere), **await settings_of(back))

    assert ended.status == 1
    assert f"{nowhere} cannot be written: No such file or directory" in ended.err
    assert await back.rows("SELECT * FROM users") == []


async def test_a_report_goes_into_a_pipe_too(back: World, authbus: Authbus, tmp_path: Path) -> None:
    settings = await settings_of(back)

    ended = await authbus("recover", "--dry-run", "--report", "/dev/stderr", **settings)

    assert ended.status == 0
    assert '"what": "password"' in ended.err
    assert reports(tmp_path) == []


DRY_RUNS = {
    "a recovery": ("recover",),
    "a replay": ("replay", "commands", CREDENTIALS.suffix, "--from", "0"),
    "users' states": ("state", "rebuild", "users"),
    "keys": ("state", "rebuild", "keys"),
    "dead letters": ("dead-letters", "redrive", "--reason", "failed"),
}


@pytest.mark.parametrize(
    "command", [pytest.param(each, id=name) for name, each in DRY_RUNS.items()]
)
async def test_a_dry_run_binds_no_database_to_a_cluster(
    world: World, authbus: Authbus, command: tuple[str, ...]
) -> None:
    settings = await settings_of(world)
    async with world.database.transaction() as db:
        await db.execute(text("DELETE FROM installation"))

    ended = await authbus(*command, "--dry-run", **settings)

    assert ended.status == 0, ended.err
    assert await world.rows("SELECT * FROM installation") == []


@pytest.mark.parametrize("command", [DRY_RUNS["a recovery"], DRY_RUNS["a replay"]])
async def test_a_dry_run_is_refused_where_the_database_belongs_to_another_cluster(
    world: World, authbus: Authbus, command: tuple[str, ...]
) -> None:
    settings = await settings_of(world)
    async with world.database.transaction() as db:
        await db.execute(text("UPDATE installation SET cluster_id = 'elsewhere'"))

    ended = await authbus(*command, "--dry-run", **settings)

    assert ended.status == 1
    assert "this database belongs to the Kafka cluster elsewhere" in ended.err
