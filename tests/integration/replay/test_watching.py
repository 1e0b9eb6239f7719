"""Records are shown as they come, with what is known of each."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

from authbus import LogIn, RegisterUser
from authbus_service.cli.watching import line
from authbus_service.cluster import Admin
from authbus_service.replay.records import Where
from authbus_service.replay.watching import Seen, Watching
from tests.rig.accident import serving
from tests.rig.crowd import PASSWORD, email
from tests.rig.world import World


async def watched(world: World, count: int, started: asyncio.Event) -> list[Seen]:
    """The first records that are shown."""
    found: list[Seen] = []
    async with Admin.connect(world.servers, {}) as admin:
        follow = Watching(admin, world.namespace, ["web"], Where())
        async with aclosing(follow.records(started)) as seen, asyncio.timeout(20):
            async for each in seen:
                found.append(each)
                if len(found) == count:
                    break
    return found


async def test_a_command_its_answer_its_event_and_its_audit_are_shown_with_the_time_they_took(
    world: World,
) -> None:
    register = world.web.draft(RegisterUser(email=email(0), password=PASSWORD))
    wrong = world.web.draft(LogIn(email=email(1), password=PASSWORD))
    noise = register.but(value=b"noise")
    started = asyncio.Event()
    watching = asyncio.create_task(watched(world, 9, started))
    await started.wait()

    async with serving(world):
        await world.web.ask(register)
        await world.web.ask(wrong)
        await world.web.send(noise)
        found = await watching

    of = {(each.kind, each.command_id): each for each in found}
    first, second = str(register.id), str(wrong.id)
    assert of["reply", first].outcome == of["audit", first].outcome == "done"
    assert of["reply", second].outcome == of["audit", second].outcome == "invalid_credentials"
    assert of["dead letter", first].outcome == "not_sealed"
    assert of["event", first].user_id == of["audit", first].user_id is not None
    stages = [of[kind, first].after_ms for kind in ("reply", "event", "audit")]
    assert [set(each) for each in stages] == [{"answered"}, *[{"decided", "told"}] * 2]
    assert 0 < stages[1]["decided"] < stages[1]["told"] < 20_000
    assert "RegisterUser" in line(of["command", first])


def test_what_a_stranger_writes_cannot_steer_a_terminal() -> None:
    at = datetime.now(UTC)
    shown = line(Seen(at=at, kind="command", type="\x1b[2J\u202eLogIn\n", id="\r1", client="a\x07"))

    assert shown.isascii()
    assert shown.isprintable()
