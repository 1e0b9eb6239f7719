"""What is lost is written down before services may start again: no end of the process hides it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from authbus_service.core.database import Database
from authbus_service.inbox import writing
from authbus_service.recovery import recover
from authbus_service.recovery.report import Report
from tests.rig.accident import backup, forget_commands, missing, recovered, serving
from tests.rig.crowd import Crowd
from tests.rig.world import World


class DiedError(Exception):
    """As if the process had ended there."""


async def with_a_loss(world: World) -> World:
    """A copy that knows nothing of somebody whose command is gone."""
    copy = await backup(world.database)
    async with serving(world):
        await Crowd(world).asked(Crowd(world).registers([0]))
    await forget_commands(world.servers, world.namespace)
    return replace(world, database=copy)


async def test_what_is_lost_is_kept_and_told_again_where_the_last_commit_did_not_come(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    back, kept = await with_a_loss(world), list[list[str]]()

    async def dies(*_: Any) -> None:
        raise DiedError

    def keep(report: Report) -> None:
        kept.append(missing(report))

    with monkeypatch.context() as patched:
        patched.setattr(recover, "go_on_from", dies)
        with pytest.raises(DiedError):
            await recovered(back, keep=keep)
    second = await recovered(back, keep=keep)

    assert kept == [["password"]] * 2
    assert missing(second) == ["password"]
    await back.database.close()


async def test_what_is_lost_was_kept_where_nothing_follows_the_last_commit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    back, kept, alone = await with_a_loss(world), list[list[str]](), writing.alone

    @asynccontextmanager
    async def dies(database: Database) -> AsyncGenerator[None]:
        async with alone(database):
            yield
        raise DiedError

    monkeypatch.setattr(writing, "alone", dies)
    with pytest.raises(DiedError):
        await recovered(back, keep=lambda report: kept.append(missing(report)))

    assert kept == [["password"]]
    await back.database.close()


async def test_what_would_be_lost_is_kept_by_a_dry_run_too(world: World) -> None:
    back, kept = await with_a_loss(world), list[list[str]]()

    await recovered(back, dry_run=True, keep=lambda report: kept.append(missing(report)))

    assert kept == [["password"]]
    await back.database.close()


async def test_a_recovery_whose_report_cannot_be_kept_does_not_end(world: World) -> None:
    back = await with_a_loss(world)

    def full(_: Report) -> None:
        raise DiedError

    with pytest.raises(DiedError):
        await recovered(back, keep=full)

    assert [row["recovering"] for row in await back.rows("SELECT * FROM installation")] == [True]
    await back.database.close()
