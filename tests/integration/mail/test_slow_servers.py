"""A server that is slow, or hangs up, or never takes one mail: each goes out once."""

import asyncio

import pytest

from authbus_service.mail import mailer as working
from tests.integration.mail.sending import (
    mailer,
    none_waits,
    register,
    sending,
    smtp,
    waiting,
)
from tests.rig.post import Post
from tests.rig.world import World


async def queued(world: World, count: int) -> list[str]:
    """The addresses of so many mails that wait, in their order."""
    emails = [f"user{each}@example.com" for each in range(count)]
    async with world.consuming():
        await register(world, *emails)
    return emails


async def test_a_slow_server_gets_each_mail_once_and_the_last_ones_too(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "_BATCH_SECONDS", 0.5)
    emails = await queued(world, 10)
    post.pauses = [0.15] * 50

    async with sending(mailer(world, smtp(post))):
        await none_waits(world)

    assert sorted(post.recipients) == sorted(emails)


async def test_a_message_that_the_server_never_takes_keeps_no_other_waiting(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "_MESSAGE_SECONDS", 0.3)
    emails = await queued(world, 4)
    post.pauses = [60]
    patient = mailer(world, smtp(post), first_pause=60)

    await patient.once()
    first, *others = await waiting(world)
    await patient.once()

    assert first["attempts"] == 1
    assert [each["attempts"] for each in others] == [0, 0, 0]
    assert post.recipients == emails[1:]


async def test_a_server_that_hangs_up_gets_the_others_over_a_new_connection(
    world: World, post: Post
) -> None:
    emails = await queued(world, 3)
    post.answers = ["421 no more over this connection"]
    patient = mailer(world, smtp(post), first_pause=60)

    reached = [await patient.once() for _ in range(2)]

    assert reached == [1, 2]
    assert post.recipients == emails[1:]


async def test_a_mailer_that_is_stopped_leaves_only_what_it_has_not_sent(
    world: World, post: Post
) -> None:
    emails = await queued(world, 3)
    post.pauses = [0, 0, 60]

    stopped = asyncio.create_task(mailer(world, smtp(post)).run())
    await post.has(2)
    await asyncio.sleep(0.1)
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)

    assert [each["address"] for each in await waiting(world)] == emails[2:]


async def test_what_a_mailer_that_is_stopped_has_not_begun_goes_out_at_once(
    world: World, post: Post
) -> None:
    emails = await queued(world, 4)
    post.pauses = [0, 60]

    stopped = asyncio.create_task(mailer(world, smtp(post)).run())
    await post.has(1)
    await asyncio.sleep(0.1)
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    await mailer(world, smtp(post)).once()

    assert post.recipients == [emails[0], *emails[2:]]
    assert [each["address"] for each in await waiting(world)] == [emails[1]]
