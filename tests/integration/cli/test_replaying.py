"""`authbus replay` as a program: what it prints, how it ends, and the runbook's commands of it."""

import json

import pytest

from authbus.topics import CREDENTIALS
from authbus_service.auth import handlers
from tests.integration.cli.conftest import Authbus
from tests.rig.accident import serving
from tests.rig.crowd import Crowd
from tests.rig.offsets import all_finished
from tests.rig.operating import settings_of
from tests.rig.redriving import open_letters
from tests.rig.runbook import commands
from tests.rig.world import World


@pytest.mark.gate
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


@pytest.mark.gate
async def test_the_runbooks_dead_letters_run_and_end_with_none_open(
    authbus: Authbus, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    (draft,) = Crowd(world).registers([0])
    with monkeypatch.context() as patched:
        patched.setattr(handlers, "decide", broken)
        async with world.consuming():
            await world.web.send(draft)
            await world.web.send(draft.but(value=draft.value[:-4] + b"AAAA"))
            await all_finished(world)
    settings = await settings_of(world)
    failed = next(each for each in await open_letters(world) if each.can_be_redriven)

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
    assert len(await world.events()) == 1
