"""Records are shown as they come, with what is known of each."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from authbus import LogIn, RegisterUser
from authbus_service.cli.watching import line
from authbus_service.cluster import Admin
from authbus_service.reading.records import Where
from authbus_service.watching.following import Sighting, Watching
from tests.rig.accident import installed, serving
from tests.rig.crowd import PASSWORD, email
from tests.rig.world import World


@pytest.fixture
async def world(world: World) -> World:
    """With the installation that its database belongs to."""
    return await installed(world)


async def watched(
    world: World, count: int, started: Callable[[], None], *where: str
) -> list[Sighting]:
    """The first records that are shown."""
    found: list[Sighting] = []
    async with Admin.connect(world.servers, {}) as admin:
        follow = Watching(admin, world.namespace, ["web"], Where.read(where))
        async with aclosing(follow.records(started, lambda _: None)) as seen, asyncio.timeout(20):
            async for each in seen:
                found.append(each)
                if len(found) == count:
                    break
    return found


async def test_what_comes_of_a_command_that_is_asked_for_is_shown_with_the_time_it_took(
    world: World,
) -> None:
    draft = world.web.draft
    register = draft(RegisterUser(email=email(0), password=PASSWORD))
    right, wrong = (draft(LogIn(email=email(each), password=PASSWORD)) for each in (0, 1))
    filters = {(): 13, ("client=web",): 13, ("type=LogIn",): 7, (f"id={register.id}",): 6}
    ready = asyncio.Semaphore(0)
    watching = [
        asyncio.create_task(watched(world, count, ready.release, *where))
        for where, count in filters.items()
    ]
    for _ in filters:
        await ready.acquire()

    async with serving(world):
        await world.web.ask(register)
        await world.web.send(register.but(value=b"noise"))
        await world.web.ask(right)
        await world.web.ask(wrong)
        every, of_web, log_ins, of_id = await asyncio.gather(*watching)

    assert_all_is_told(every, str(register.id), str(wrong.id))
    assert places(of_web) == places(every)
    of = {str(right.id), str(wrong.id)}
    assert places(log_ins) == places(each for each in every if each.command_id in of)
    assert places(of_id) == places(each for each in every if each.command_id not in of)
    first, *later = [each for each in log_ins if each.command_id == str(right.id)]
    assert (first.kind, set(first.after_ms)) == ("command", {"sent"})
    assert {each.kind: set(each.after_ms) for each in later} == {
        "reply": {"answered"},
        "event": {"decided", "told"},
        "audit": {"decided", "told"},
    }


def assert_all_is_told(every: Iterable[Sighting], first: str, second: str) -> None:
    """Of a command that was done, and a copy of it in noise, and of one that was refused."""
    of = {(each.kind, each.command_id): each for each in every}
    assert of["reply", first].outcome == of["audit", first].outcome == "done"
    assert of["reply", second].outcome == of["audit", second].outcome == "invalid_credentials"
    assert of["dead letter", first].outcome == "not_sealed"
    assert of["event", first].user_id == of["audit", first].user_id is not None
    told = of["event", first].after_ms
    assert 0 < told["decided"] < told["told"] < 20_000
    assert "RegisterUser" in line(of["command", first])


def places(every: Iterable[Sighting]) -> set[str]:
    """Where these records lie."""
    return {each.place for each in every}


def test_what_a_stranger_writes_cannot_steer_a_terminal() -> None:
    at = datetime.now(UTC)
    shown = line(
        Sighting(at=at, kind="command", type="\x1b[2J\u202eLogIn\n", id="\r1", client="a\x07")
    )

    assert shown.isascii()
    assert shown.isprintable()
