"""Writing messages takes milliseconds each: others have their turn, and a stop loses nothing."""

import asyncio
from email.message import EmailMessage

import pytest

from authbus_service.mail import Mailer, Nowhere
from authbus_service.outbox.mails import QueuedMail
from tests.integration.mail.sending import mailer, register, smtp, waiting
from tests.rig.post import Post
from tests.rig.world import World

EMAILS = [f"user{each}@example.com" for each in range(5)]


@pytest.fixture(autouse=True)
async def queued(world: World) -> None:
    async with world.consuming():
        await register(world, *EMAILS)


async def test_others_have_their_turn_between_two_messages(world: World) -> None:
    turns = 0
    at_each: list[int] = []

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def write(_: QueuedMail) -> EmailMessage:
        at_each.append(turns)
        return EmailMessage()

    beside = asyncio.create_task(others())
    await Mailer(world.database, write, Nowhere()).once()
    beside.cancel()

    assert len(set(at_each)) == len(EMAILS)


async def test_a_mailer_that_is_stopped_while_it_writes_gives_all_back(
    world: World, post: Post
) -> None:
    begun = asyncio.Event()

    def write(_: QueuedMail) -> EmailMessage:
        begun.set()
        return EmailMessage()

    stopped = asyncio.create_task(Mailer(world.database, write, smtp(post)).once())
    await begun.wait()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    await mailer(world, smtp(post)).once()

    assert sorted(post.recipients) == EMAILS
    assert await waiting(world) == []
