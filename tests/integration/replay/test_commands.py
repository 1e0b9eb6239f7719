"""Commands are sent again, byte for byte, and the summary tells the truth of them."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from authbus import GetProfile, LogIn
from authbus.topics import ACCOUNTS, COMMAND_TOPICS, EVENTS
from authbus_service.core import clock
from authbus_service.core.ids import new_id
from authbus_service.reading.records import Where
from authbus_service.replay.copies import copied
from authbus_service.replay.copying import Copier, Copy, Sent
from tests.rig.accident import serving
from tests.rig.crowd import PASSWORD, Crowd, email
from tests.rig.dumps import dumped, ends_of
from tests.rig.offsets import all_finished
from tests.rig.replaying import bare, counts, lying, replayed
from tests.rig.world import World

USERS = 4


async def a_history(world: World) -> Crowd:
    """Users who registered, logged in and out; a wrong guess, a question, a record of noise."""
    crowd, draft = Crowd(world), world.web.draft
    async with serving(world):
        sessions = await crowd.with_sessions(USERS)
        await crowd.asked(crowd.log_outs(sessions[:2]))
        wrong = draft(LogIn(email=email(0), password=PASSWORD.__class__("not this one")))
        await crowd.asked([wrong, draft(GetProfile(access_token=sessions[3].access_token))])
        await world.web.send(wrong.but(value=b"noise"))
        await all_finished(world)
    return crowd


@pytest.mark.slow
async def test_three_replays_of_everything_while_running_and_while_stopped_change_nothing(
    world: World,
) -> None:
    await a_history(world)
    originals = len(await lying(world))
    before, said = (
        await dumped(world.database),
        await ends_of(world.servers, EVENTS, world.namespace),
    )

    async def three_times() -> None:
        for _ in range(3):
            for topic in COMMAND_TOPICS:
                summary = await replayed(world, topic, wait=0.5)
                assert not summary.applied

    async with serving(world):
        await three_times()
        await all_finished(world)
    running = await dumped(world.database)
    await three_times()
    async with serving(world):
        await all_finished(world)

    assert len(await lying(world)) == 7 * originals
    assert running == before
    assert await dumped(world.database) == before
    assert await ends_of(world.servers, EVENTS, world.namespace) == said


async def test_a_replay_while_running_tells_what_became_of_each_record(world: World) -> None:
    await a_history(world)
    old = clock.now() - timedelta(minutes=11)
    id_ = UUID(f"{int(old.timestamp() * 1000):012x}{new_id().hex[12:]}")
    stale = world.web.draft(LogIn(email=email(0), password=PASSWORD), id_=id_, time=old)
    await world.web.send(stale.but(headers=[*stale.headers]))

    async with serving(world):
        foretold = await replayed(world, dry_run=True)
        credentials, accounts = await replayed(world), await replayed(world, ACCOUNTS)

    handled = {"selected": 11, "already_handled": 9}
    assert counts(foretold) == handled | {"expired": 1, "undecided": 1}
    assert counts(credentials) == handled | {"expired": 1, "dead_again": 1}
    assert counts(accounts) == {"selected": 1, "without_effect": 1}


async def test_without_a_service_what_was_not_handled_before_waits_and_is_told_by_a_resumption(
    world: World,
) -> None:
    await a_history(world)
    (fresh,) = Crowd(world).registers([USERS])
    await world.web.send(fresh)
    replay_id = new_id()
    mine = Where.read([f"id={fresh.id}"])

    stopped = await replayed(world, replay_id=replay_id, where=mine, wait=0.3)
    async with serving(world):
        resumed = await replayed(world, replay_id=replay_id, where=mine, resumed=True)

    assert counts(stopped) == {"selected": 1, "waiting": 1}
    assert counts(resumed) == {"selected": 1, "applied": 1}


async def test_a_copy_is_its_original_with_two_marks_and_is_no_original_itself(
    world: World,
) -> None:
    await a_history(world)
    originals = await lying(world)

    first, second = await replayed(world, wait=0), await replayed(world, wait=0)

    copies = [each for each in await lying(world) if each not in originals]
    assert Counter(map(bare, copies)) == Counter(map(bare, [*originals, *originals]))
    assert {name for each in copies for name, _ in each.headers} >= {"replay_id", "replay_of"}
    assert (first.selected, second.selected) == (len(originals), len(originals))
    assert (first.copies, second.copies) == (0, len(originals))


@pytest.mark.slow
async def test_a_replay_that_was_killed_goes_on_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_history(world)
    originals, replay_id, send = await lying(world), new_id(), Copier.part
    parts = 0

    async def dies(self: Copier, copies: Sequence[Copy]) -> list[Sent | None]:
        nonlocal parts
        parts += 1
        if parts > 3:
            raise ZeroDivisionError
        return await send(self, copies)

    with monkeypatch.context() as patched:
        patched.setattr(Copier, "part", dies)
        with pytest.raises(ZeroDivisionError):
            await replayed(world, replay_id=replay_id, rate=20)
    half = await lying(world)
    summary = await replayed(world, replay_id=replay_id, resumed=True, wait=0)

    assert len(originals) < len(half) < 2 * len(originals)
    assert Counter(map(bare, await lying(world))) == Counter(map(bare, [*originals, *originals]))
    assert summary.selected == summary.already_handled + summary.waiting == len(originals)


@pytest.mark.slow
async def test_a_rate_is_kept_and_a_filter_lets_only_its_records_through(world: World) -> None:
    await a_history(world)
    registers = Where.read(["type=RegisterUser", "client=web"])

    summary = await replayed(world, where=registers, rate=8)

    # The first one may be late, for it connects.
    came = [each.timestamp for each in await lying(world) if copied(each)]
    assert max(came) - min(came) >= (USERS - 2) * 1000 / 8 - 5
    assert counts(summary) == {"selected": USERS, "already_handled": USERS}


@pytest.mark.slow
async def test_a_record_too_large_to_carry_the_marks_is_told_and_stops_no_other(
    world: World,
) -> None:
    crowd = await a_history(world)
    for size in range(65_500, 60_000, -16):
        with suppress(MessageSizeTooLargeError):
            await world.web.send(crowd.drafts[0].but(value=b"x" * size))
            break
    await world.web.send(crowd.drafts[0])

    summary = await replayed(world, wait=0)

    assert (summary.not_sent, summary.already_handled) == (1, 10)
