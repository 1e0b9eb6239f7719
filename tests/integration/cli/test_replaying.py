"""`authbus replay` as a program: what it prints, how it ends, and the runbook's commands of it."""

import asyncio
import json
import os
import signal
from collections import Counter
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from authbus import GetProfile
from authbus.topics import CREDENTIALS, EVENTS
from authbus_service.cluster import Admin
from authbus_service.core.clock import at_ms
from authbus_service.core.exit_status import Exit
from authbus_service.embedded import Addresses
from tests.integration.cli.conftest import Authbus, kept
from tests.rig import programs
from tests.rig.accident import relaying, said, serving
from tests.rig.crowd import PASSWORD, Crowd
from tests.rig.databases import shut
from tests.rig.dumps import ends_of
from tests.rig.offsets import all_finished
from tests.rig.operating import settings_of
from tests.rig.redriving import buried, open_letters
from tests.rig.replaying import a_new_topic, bare, billing, has_read, lying
from tests.rig.runbook import commands
from tests.rig.terminals import at_a_terminal
from tests.rig.world import World


@pytest.mark.slow
async def test_the_runbooks_replay_runs_and_ends_with_0_and_what_is_dead_again_with_1(
    authbus: Authbus, world: World
) -> None:
    crowd = Crowd(world)
    async with serving(world):
        sessions = await crowd.with_sessions(2)
        await crowd.asked(crowd.log_outs(sessions))
    settings = await settings_of(world)
    look, replay = (
        [each.replace("auth.", f"{world.namespace}.") for each in arguments]
        for arguments in commands("Replay")
    )

    foretold, done = await authbus(*look, **settings), await authbus(*replay, **settings)
    await world.web.send(crowd.drafts[0].but(value=b"noise"))
    async with world.consuming():
        await all_finished(world)
        noisy = await authbus("replay", "commands", CREDENTIALS.suffix, "--from", "0", **settings)

    assert (foretold.status, done.status, noisy.status) == (0, 0, 1)
    said = [json.loads(each.out) for each in (foretold, done, noisy)]
    assert [each["already_handled"] for each in said] == [2, 2, 4]
    assert said[2]["dead_again"] == 1
    assert json.loads(done.err.splitlines()[-1])["step"] == "sent"


@pytest.mark.slow
async def test_the_runbooks_dead_letters_run_and_end_with_none_open(
    authbus: Authbus, world: World
) -> None:
    (draft,) = Crowd(world).registers([0])
    await buried(world, draft, draft.but(value=draft.value[:-4] + b"AAAA"))
    failed = next(each for each in await open_letters(world) if each.can_be_redriven)

    async with relaying(world):
        settings = await settings_of(world)
        ended = [
            await authbus(*(str(failed.id) if each == "ID" else each for each in one), **settings)
            for one in commands("Dead letters")
        ]

    assert [each.status for each in ended] == [0] * 6, [each.err for each in ended]
    told = [json.loads(each.out.splitlines()[0]) for each in ended]
    assert told[2]["headers"]["ce_type"] == "authbus.RegisterUser.v1"
    assert told[3:] == [
        {"selected": 1, "would_be_handled": 1},
        {"selected": 1, "done": 1},
        {"discarded": 1},
    ]
    assert await open_letters(world) == []
    assert len(await said(world)) == 1


REPLAY = ("replay", "commands", CREDENTIALS.suffix, "--from", "0", "--wait", "0")


async def noise(world: World, count: int) -> None:
    """So many records that no service has come to."""
    draft = world.web.draft(GetProfile(access_token=PASSWORD))
    for number in range(count):
        topic = CREDENTIALS.name(world.namespace)
        await world.web.send(draft.but(topic=topic, key=b"%d" % number, value=b"noise"))
        await asyncio.sleep(0.002)  # no two have one time


@pytest.mark.slow
async def test_a_replay_that_is_killed_sends_by_its_id_what_is_left_and_nothing_twice(
    authbus: Authbus, world: World, tmp_path: Path
) -> None:
    count = 40
    await noise(world, count)
    originals, settings = await lying(world), await settings_of(world)

    killed = await programs.start(
        *REPLAY, "--rate", "20", environment={**os.environ, **settings}, folder=tmp_path
    )
    async with asyncio.timeout(30):
        _, replay_id, *_ = (await killed.stderr.readline()).decode().split()
        while await sent(world) < count + 5:  # noqa: ASYNC110 - Kafka wakes nobody
            await asyncio.sleep(0.02)
    killed.kill()
    status, half = await killed.wait(), await sent(world)
    resumed = await authbus(*REPLAY, "--resume", replay_id, **settings)

    assert (status, resumed.status) == (-signal.SIGKILL, Exit.LEFT)
    assert half < 2 * count
    assert Counter(map(bare, await lying(world))) == Counter(map(bare, originals * 2))
    summed_up = json.loads(resumed.out)
    assert (summed_up["replay_id"], summed_up["selected"]) == (replay_id, count)


async def sent(world: World) -> int:
    """How many records lie on the topic of credentials."""
    return sum((await ends_of(world.servers, CREDENTIALS, world.namespace)).values())


@pytest.mark.slow
async def test_a_terminal_shows_a_bar_with_how_many_of_how_many_are_sent(
    world: World, tmp_path: Path
) -> None:
    await noise(world, 6)

    shown, out, status = await at_a_terminal(
        *REPLAY, settings=await settings_of(world), folder=tmp_path
    )

    lines = shown.splitlines()
    assert any("sent" in each and "6/6" in each and "/s" in each for each in lines), shown
    assert "{" not in shown
    assert (json.loads(out)["waiting"], status) == (6, Exit.LEFT)


@pytest.mark.slow
async def test_a_time_with_a_zone_or_without_one_says_which_records_are_replayed(
    authbus: Authbus, world: World
) -> None:
    await noise(world, 3)
    came = sorted(at_ms(each.timestamp) for each in await lying(world))
    zone = timezone(timedelta(hours=2))
    second, third = came[1].replace(tzinfo=None).isoformat(), came[2].astimezone(zone).isoformat()
    replay = ("replay", "commands", CREDENTIALS.suffix, "--dry-run")
    settings = await settings_of(world)

    ended = [
        await authbus(*replay, *stretch, **settings)
        for stretch in (("--from", second), ("--from", second, "--to", third))
    ]

    assert [each.status for each in ended] == [0, 0], [each.err for each in ended]
    assert [json.loads(each.out)["selected"] for each in ended] == [2, 1]


@pytest.mark.slow
async def test_events_go_to_a_topic_and_a_group_goes_back_to_them(
    authbus: Authbus, world: World
) -> None:
    async with serving(world):
        await Crowd(world).with_sessions(1)
    settings = await settings_of(world)
    async with Admin.connect(world.servers, {}) as admin:
        new = await a_new_topic(admin, f"copied.{world.namespace}")
        events = ("replay", "events", "--from", "0")
        created = ("--to-topic", new, "--where", "type=UserCreated")
        group = await has_read(admin, billing(world), world.namespace)

        copied = await authbus(*events, *created, **settings)
        moved = await authbus(*events, "--to-group", group, **settings)
        mistyped = await authbus(*events, "--to-group", f"{group}s", **settings)

        assert (mistyped.status, mistyped.out) == (Exit.LEFT, "")
        assert mistyped.err.startswith(f"authbus: no group {group}s has read ")
        assert [each.status for each in (copied, moved)] == [0, 0], copied.err + moved.err
        report = json.loads(copied.out)
        assert (report["to"], report["selected"], report["copied"]) == (new, 1, 1)
        moves = [json.loads(each) for each in moved.out.splitlines()]
        assert [each["to"] for each in moves] == [0] * EVENTS.partitions
        kept = await admin.committed(group)
        assert kept == {(EVENTS.name(world.namespace), n): 0 for n in range(EVENTS.partitions)}


async def test_a_database_that_goes_away_half_way_ends_a_replay_with_one_line_and_how_it_goes_on(
    world: World, addresses: Addresses, tmp_path: Path
) -> None:
    for each in Crowd(world).registers(range(2)):
        await world.web.send(each)
    settings = await settings_of(world)
    replay = ("replay", "commands", CREDENTIALS.suffix, "--from", "0")

    child = await programs.start(*replay, environment={**kept(), **settings}, folder=tmp_path)
    while b'"handled"' not in (line := await child.stderr.readline()):
        assert line
    async with shut(addresses, settings["DATABASE_URL"]):
        out, err = await asyncio.wait_for(child.communicate(), 60)

    assert (child.returncode, out) == (Exit.LEFT, b"")
    (said,) = (each for each in err.decode().splitlines() if not each.startswith("{"))
    assert said.startswith("authbus: a server went away, or refused us, in the middle of it: ")
    assert "Then run it again" in said
