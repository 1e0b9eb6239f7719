"""Dead letters are listed until they are closed; what the service failed at is handled anew."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from authbus import LoggedIn, LogIn, RegisterUser
from authbus.state import Closing
from authbus_service.auth import handlers
from authbus_service.cluster import Admin
from authbus_service.core import clock
from authbus_service.inbox import writing
from authbus_service.inbox.writing import RecoveryRunsError
from authbus_service.replay.letters import DeadLetters, Which, by_reason
from tests.rig.accident import forget_commands
from tests.rig.crowd import PASSWORD, Crowd, email
from tests.rig.offsets import all_finished
from tests.rig.producing import Draft
from tests.rig.redriving import open_letters, redriven
from tests.rig.world import World

Fail = Callable[..., Awaitable[None]]


@pytest.fixture
def failing(world: World, monkeypatch: pytest.MonkeyPatch) -> Fail:
    """Have a service with a bug handle these records."""

    def broken(*_: object) -> Any:
        raise ZeroDivisionError

    async def fail(*drafts: Draft) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(handlers, "decide", broken)
            async with world.consuming():
                for draft in drafts:
                    await world.web.send(draft)
                await all_finished(world)

    return fail


async def test_what_the_service_failed_at_is_handled_anew_once_and_noise_stays(
    world: World, failing: Fail
) -> None:
    draft = world.web.draft(RegisterUser(email=email(0), password=PASSWORD))
    await failing(draft, draft.but(value=b"noise"))
    groups = by_reason(await open_letters(world))

    foretold = await redriven(world, dry_run=True)
    first, second = await redriven(world), await redriven(world)

    assert [(each["reason"], each["count"]) for each in groups] == [
        ("failed", 1),
        ("not_sealed", 1),
    ]
    assert foretold == {"would_be_handled": 1, "not_ours": 1}
    assert (first, second) == ({"done": 1, "not_ours": 1}, {"not_ours": 1})
    assert [each.letter.reason for each in await open_letters(world)] == ["not_sealed"]
    assert len(await world.events()) == 1
    (handled,) = await world.rows("SELECT handled_at FROM inbox")
    assert clock.now() - handled["handled_at"] > timedelta(seconds=0.1)


async def test_no_session_starts_that_nobody_waits_for_also_where_the_headers_do_not_tell(
    world: World, failing: Fail
) -> None:
    async with world.consuming():
        await Crowd(world).with_sessions(1)
    expires_at = clock.now() + timedelta(seconds=3)
    log_in = world.web.draft(LogIn(email=email(0), password=PASSWORD), expirytime=expires_at)
    bare = log_in.but(headers=[each for each in log_in.headers if each[0] == "ce_id"])
    await failing(bare)
    while clock.now() < expires_at:  # noqa: ASYNC110 - a time, not a thing that happens
        await asyncio.sleep(0.05)

    counts = await redriven(world)

    assert counts == {"expired": 1}
    assert await world.rows("SELECT count(*) AS n FROM sessions") == [{"n": 1}]
    assert await open_letters(world) == []


async def test_who_still_waits_is_answered(world: World, failing: Fail) -> None:
    async with world.consuming():
        await Crowd(world).asked(Crowd(world).registers([0]))
    log_in = world.web.draft(LogIn(email=email(0), password=PASSWORD))
    await failing(log_in)

    assert await redriven(world) == {"done": 1}

    (answer,) = await world.web.heard(log_in, 1)
    assert isinstance(answer, LoggedIn)


@pytest.mark.gate
async def test_what_fails_again_stays_open_and_makes_no_second_letter(
    world: World, failing: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    await failing(world.web.draft(RegisterUser(email=email(0), password=PASSWORD)))
    before = await open_letters(world)

    def broken(*_: object) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(handlers, "decide", broken)
        counts = await redriven(world)

    assert counts == {"dead_again": 1}
    assert await open_letters(world) == before
    assert await redriven(world) == {"done": 1}


@pytest.mark.gate
async def test_what_is_not_on_its_topic_any_more_is_gone_and_may_be_discarded(
    world: World, failing: Fail
) -> None:
    await failing(world.web.draft(RegisterUser(email=email(0), password=PASSWORD)))
    await forget_commands(world.servers, world.namespace)

    counts = await redriven(world)
    async with Admin.connect(world.servers, {}) as admin:
        letters = DeadLetters(admin, world.namespace)
        found = await letters.open_ones(Which(reasons=["failed"]))
        await letters.close((each, Closing.DISCARDED, None) for each in found)

    assert (counts, len(found)) == ({"gone": 1}, 1)
    assert await open_letters(world) == []


@pytest.mark.gate
async def test_nothing_is_handled_beside_a_recovery(world: World, failing: Fail) -> None:
    await failing(world.web.draft(RegisterUser(email=email(0), password=PASSWORD)))

    async with writing.alone(world.database):
        with pytest.raises(RecoveryRunsError):
            await redriven(world)

    assert await redriven(world) == {"done": 1}
    async with asyncio.timeout(2), writing.alone(world.database):
        pass
