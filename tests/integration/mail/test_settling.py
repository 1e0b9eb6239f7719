"""What was sent is written down, though PostgreSQL is away meanwhile or the process is stopped."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.mail import mailer as working
from authbus_service.outbox import mails
from tests.integration.mail.sending import all_due, mailer, register, smtp, waiting
from tests.rig.post import Post
from tests.rig.world import World

EMAILS = [f"user{each}@example.com" for each in range(3)]
remove = mails.remove


@pytest.fixture(autouse=True)
async def queued(world: World) -> None:
    async with world.consuming():
        await register(world, *EMAILS)


async def test_what_was_sent_is_not_sent_again_when_postgresql_is_away_for_a_moment(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OperationalError("DELETE", {}, ConnectionError()), TimeoutError()]

    async def removed(db: AsyncConnection, ids: Sequence[UUID]) -> None:
        if failures:
            raise failures.pop()
        await remove(db, ids)

    monkeypatch.setattr(mails, "remove", removed)

    with suppress(OperationalError, TimeoutError):
        await mailer(world, smtp(post)).once()
    await all_due(world)
    await mailer(world, smtp(post)).once()

    assert sorted(post.recipients) == EMAILS
    assert failures == []


async def test_a_mailer_that_is_stopped_while_it_writes_down_what_it_sent_forgets_nothing(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def removed(db: AsyncConnection, ids: Sequence[UUID]) -> None:
        begun.set()
        await asyncio.sleep(0.3)
        await remove(db, ids)

    monkeypatch.setattr(mails, "remove", removed)

    stopped = asyncio.create_task(mailer(world, smtp(post)).once())
    await begun.wait()
    stopped.cancel()
    (ended,) = await asyncio.gather(stopped, return_exceptions=True)

    assert isinstance(ended, asyncio.CancelledError)
    assert await waiting(world) == []
    assert sorted(post.recipients) == EMAILS


@pytest.mark.parametrize("when", ["while_it_sends", "while_it_settles"])
async def test_a_mailer_is_stopped_in_time_though_postgresql_is_away(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(working, "_LAST_SECONDS", 0.3)
    begun = asyncio.Event()

    async def removed(_db: AsyncConnection, _ids: Sequence[UUID]) -> None:
        begun.set()
        raise TimeoutError

    monkeypatch.setattr(mails, "remove", removed)
    if when == "while_it_sends":
        post.pauses = [0, 60]

    stopped = asyncio.create_task(mailer(world, smtp(post)).run())
    await (post.has(1) if when == "while_it_sends" else begun.wait())
    await asyncio.sleep(0.1)
    stopped.cancel()

    async with asyncio.timeout(2):
        await asyncio.wait({stopped})
    assert stopped.cancelled()
