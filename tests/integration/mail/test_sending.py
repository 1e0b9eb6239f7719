"""Mails on a real SMTP server: what is queued arrives, once while nothing breaks."""

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

from pydantic import SecretStr

from authbus import EmailIsVerified, VerifyEmail
from authbus_service.auth.mails import Template
from authbus_service.core import clock
from authbus_service.core.config import Settings
from authbus_service.core.mail_settings import parse_smtp
from authbus_service.core.metrics import Metrics
from authbus_service.core.security.masters import Masters
from authbus_service.mail import Folder, Nowhere, Smtp
from authbus_service.mail.carriers import Failure
from authbus_service.startup import mail as startup_mail
from authbus_service.startup.servers import Servers
from tests.integration.mail.sending import (
    EMAIL,
    all_due,
    mailer,
    none_waits,
    register,
    sending,
    smtp,
    waiting,
)
from tests.rig.failing import until
from tests.rig.post import Post, free_port, parts, posting
from tests.rig.scraping import counted
from tests.rig.world import World


async def test_the_link_in_the_mail_verifies_the_address(world: World, post: Post) -> None:
    async with world.consuming(), sending(mailer(world, smtp(post))):
        (user,) = await register(world, EMAIL)
        (message,) = await post.has(1)
        text, html = parts(message)
        (code,) = re.findall(r"https://example\.com/verify-email\?code=(\S+)", text)
        verified = await world.web.ask(world.web.draft(VerifyEmail(code=SecretStr(code))))
        await none_waits(world)

    assert post.recipients == [EMAIL]
    assert code in html
    assert verified == EmailIsVerified(user_id=user.user_id)


async def test_many_mailers_send_each_mail_once(world: World, post: Post) -> None:
    emails = [f"user{each}@example.com" for each in range(30)]
    async with world.consuming():
        await register(world, *emails)
    async with sending(*(mailer(world, smtp(post)) for _ in range(4))):
        await none_waits(world)

    assert sorted(post.recipients) == sorted(emails)
    assert len({message["Message-ID"] for message in post.taken}) == 30


async def test_a_server_that_refuses_for_now_gets_the_same_message_later(
    world: World, post: Post
) -> None:
    post.answers = ["451 later", "451 later", "250 OK"]
    async with world.consuming():
        await register(world, EMAIL)
    (queued,) = await waiting(world)
    async with sending(mailer(world, smtp(post))):
        (message,) = await post.has(1)
        await none_waits(world)

    assert message["Message-ID"] == f"<{queued['id']}@example.com>"
    assert post.answers == []


async def test_an_address_that_is_refused_for_good_holds_up_nobody(
    world: World, post: Post
) -> None:
    post.answers = ["550 no such user"]
    async with world.consuming():
        await register(world, "gone@example.com", EMAIL)
    async with sending(mailer(world, smtp(post))):
        await post.has(1)
        await none_waits(world)

    assert post.recipients == [EMAIL]


async def test_an_address_that_no_message_can_be_written_to_holds_up_nobody(
    world: World, post: Post
) -> None:
    # An encoded word is a good local part; Python 3.11 and 3.12 raise IndexError for this one.
    encoded = "=?utf-8?q?=3C?=x@example.com"
    async with world.consuming():
        await register(world, encoded, EMAIL)
    async with sending(mailer(world, smtp(post))):
        await none_waits(world)

    assert EMAIL in post.recipients


async def test_a_mail_outlives_a_server_that_is_away(world: World) -> None:
    port = free_port()
    away = Smtp(parse_smtp(f"smtp+plain://127.0.0.1:{port}"))
    async with world.consuming():
        await register(world, EMAIL)
    async with sending(mailer(world, away)):
        async with asyncio.timeout(10):
            while (await waiting(world))[0]["attempts"] < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        with posting(port) as post:
            await post.has(1, within=20)
            await none_waits(world)

    assert post.recipients == [EMAIL]


async def test_a_mailer_that_died_after_sending_sends_the_same_message_again(
    world: World, post: Post
) -> None:
    async with world.consuming():
        await register(world, EMAIL)

    class Dies:
        async def __call__(
            self, messages: Sequence[EmailMessage]
        ) -> AsyncGenerator[Failure | None]:
            async with aclosing(smtp(post)(messages)) as told:
                async for result in told:
                    if post.taken:
                        raise asyncio.CancelledError
                    yield result

    dying = asyncio.create_task(mailer(world, Dies()).once())
    await asyncio.gather(dying, return_exceptions=True)
    idle = await mailer(world, smtp(post)).once()
    await all_due(world)
    await mailer(world, smtp(post)).once()

    first, second = post.taken
    assert idle == 0
    assert first.as_bytes() == second.as_bytes()
    assert await waiting(world) == []


async def test_a_mail_whose_code_has_run_out_is_given_up(world: World, post: Post) -> None:
    async with world.consuming():
        await register(world, EMAIL)
    async with world.database.transaction() as db:
        await db.exec_driver_sql("UPDATE mails SET expires_at = now()")

    await mailer(world, smtp(post)).once()

    assert await waiting(world) == []
    assert post.taken == []


async def test_a_mailer_whose_clock_is_ahead_sends_what_is_still_good(
    world: World, post: Post
) -> None:
    async with world.consuming():
        await register(world, EMAIL)

    with clock.standing_at(clock.now() + timedelta(days=2)):
        await mailer(world, smtp(post)).once()

    assert post.recipients == [EMAIL]


async def test_mails_are_counted_by_what_became_of_them(world: World, post: Post) -> None:
    post.answers = ["550 no such user", "451 later", "452 later"]
    metrics = Metrics()
    settings = Settings(
        smtp_url=SecretStr(post.url),
        mail_from="Example <no-reply@example.com>",
        link_base_url="https://example.com",
    )
    place = Servers(settings, own_kafka=False, own_database=False, stack=None)
    async with world.consuming():
        await register(world, *(f"user{number}@example.com" for number in range(6)))

    async with startup_mail.sending(place, world.database, world.masters, metrics):
        await until(lambda: sum(counted(metrics, "mails_total").values()) == 6)

    template = Template.VERIFY_EMAIL
    assert counted(metrics, "mails_total") == {
        ("given_up", template): 1,
        ("postponed", template): 2,
        ("sent", template): 3,
    }


async def test_a_mail_under_a_master_that_this_process_lacks_is_left_to_another(
    world: World, post: Post
) -> None:
    async with world.consuming():
        await register(world, EMAIL)
    other = replace(world, masters=Masters([secrets.token_bytes(32)]))

    await mailer(other, smtp(post)).once()
    kept = await waiting(world)
    await all_due(world)
    await mailer(world, smtp(post)).once()

    assert [each["attempts"] for each in kept] == [1]
    assert post.recipients == [EMAIL]


async def test_without_a_server_mails_wait_and_in_a_folder_a_developer_reads_them(
    world: World, tmp_path: Path
) -> None:
    async with world.consuming():
        await register(world, EMAIL)

    await mailer(world, Nowhere()).once()
    (kept,) = await waiting(world)
    await all_due(world)
    await mailer(world, Folder(tmp_path / "mails")).once()

    (file,) = (tmp_path / "mails").iterdir()
    assert kept["attempts"] == 1
    assert file.name == f"{kept['id']}.eml"
    assert b"https://example.com/verify-email?code=" in file.read_bytes().replace(b"=3D", b"=")
    assert await waiting(world) == []
