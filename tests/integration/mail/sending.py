"""Mailers of a test, and the mails that wait for them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr

from authbus import Registered, RegisterUser
from authbus_service.core.mail_settings import parse_sender, parse_smtp
from authbus_service.mail import Carrier, Mailer, Smtp, Writing
from tests.rig.post import Post
from tests.rig.world import World

EMAIL, PASSWORD = "Ana@example.com", SecretStr("correct horse battery")
SENDER = parse_sender("Example <no-reply@example.com>")


def mailer(world: World, carry: Carrier, *, first_pause: float = 0.1) -> Mailer:
    write = Writing(world.masters, SENDER, "https://example.com")
    return Mailer(world.database, write, carry, poll=0.05, first_pause=first_pause)


def smtp(post: Post) -> Smtp:
    return Smtp(parse_smtp(post.url))


@asynccontextmanager
async def sending(*mailers: Mailer) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(each.run()) for each in mailers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def register(world: World, *emails: str) -> list[Registered]:
    answers = [
        await world.web.ask(world.web.draft(RegisterUser(email=each, password=PASSWORD)))
        for each in emails
    ]
    return [answer for answer in answers if isinstance(answer, Registered)]


async def waiting(world: World) -> list[dict[str, Any]]:
    return await world.rows("SELECT * FROM mails ORDER BY made_at")


async def all_due(world: World) -> None:
    """What waits for its time waits no longer."""
    async with world.database.transaction() as db:
        await db.exec_driver_sql("UPDATE mails SET due_at = now()")


async def none_waits(world: World) -> None:
    async with asyncio.timeout(10):
        while await waiting(world):  # noqa: ASYNC110 - rows of another task
            await asyncio.sleep(0.02)
