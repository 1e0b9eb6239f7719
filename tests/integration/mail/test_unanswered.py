"""A server that has a message and does not say so: it gets that message twice at most."""

import socket
import time
from datetime import UTC, datetime

import pytest

from authbus_service.mail import mailer as working
from authbus_service.mail import smtp as carrying
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
from tests.rig.post import Post
from tests.rig.world import World


@pytest.fixture(autouse=True)
async def queued(world: World) -> None:
    async with world.consuming():
        await register(world, EMAIL)


async def test_a_message_is_waited_for_longer_than_any_other_answer(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "_SECONDS", 0.5)
    post.late = [1.5]

    async with sending(mailer(world, smtp(post))):
        await none_waits(world)

    assert post.recipients == [EMAIL]


@pytest.mark.parametrize("late", [60.0, None], ids=["answers_too_late", "hangs_up"])
async def test_a_server_that_never_answers_gets_a_message_once_more_and_no_third_time(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch, late: float | None
) -> None:
    monkeypatch.setattr(working, "_MESSAGE_SECONDS", 0.5)
    post.late = [late] * 5

    await mailer(world, smtp(post)).once()
    (kept,) = await waiting(world)
    for _ in range(4):
        await all_due(world)
        await mailer(world, smtp(post)).once()

    assert (kept["due_at"] - datetime.now(UTC)).total_seconds() > 800
    assert post.recipients == [EMAIL] * 2
    assert await waiting(world) == []


async def test_a_message_that_was_refused_before_is_tried_once_more_after_no_answer(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "_MESSAGE_SECONDS", 0.5)
    post.refusals = ["451 later"] * 2

    left: list[list[int]] = []
    for late in (None, None, 60.0, 60.0, None):
        post.late = [late] if late else []
        await mailer(world, smtp(post)).once()
        left.append([each["attempts"] for each in await waiting(world)])
        await all_due(world)

    assert left == [[1], [2], [3], [], []]
    assert post.recipients == [EMAIL] * 2


async def test_a_message_that_was_refused_once_it_was_there_is_tried_again_as_ever(
    world: World, post: Post
) -> None:
    post.refusals = ["451 later"] * 3

    for _ in range(4):
        await mailer(world, smtp(post)).once()
        await all_due(world)

    assert post.recipients == [EMAIL]
    assert await waiting(world) == []


async def test_a_server_that_could_not_be_reached_in_time_has_nothing_and_is_tried_as_ever(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly() -> str:
        time.sleep(0.8)
        return "a.example.com"

    monkeypatch.setattr(working, "_MESSAGE_SECONDS", 0.5)
    monkeypatch.setattr(carrying, "_CONNECT_SECONDS", 0.3)
    with monkeypatch.context() as slow:
        slow.setattr(socket, "getfqdn", slowly)
        for _ in range(3):
            await mailer(world, smtp(post)).once()
            await all_due(world)

    await mailer(world, smtp(post)).once()

    assert post.recipients == [EMAIL]
