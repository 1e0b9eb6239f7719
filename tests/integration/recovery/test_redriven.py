"""A dead letter is closed when what its record did is said: until then it can be lost again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from authbus_service.recovery import backlog, recover
from tests.rig.accident import backup, recovered, serving
from tests.rig.crowd import Crowd, email
from tests.rig.long_before import registered_long_before
from tests.rig.redriving import a_redriving, buried, open_letters, redriven
from tests.rig.world import World

pytestmark = pytest.mark.gate

AT_ONCE = timedelta(0)


async def test_what_was_redriven_and_not_said_when_the_database_was_lost_is_redriven_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the record had come days before everything else: a recovery does not look at it.
    monkeypatch.setattr(recover, "_SKEW", AT_ONCE)
    monkeypatch.setattr(backlog, "_UNSAID", AT_ONCE)
    crowd = Crowd(world)
    failed, later = crowd.registers(range(2))
    await buried(world, failed)
    async with serving(world):
        await crowd.asked([later])
    copy = await backup(world.database)
    async with a_redriving(world, wait=2) as work:  # without a relay: nothing is said
        counts = [await work.run(await open_letters(world), dry_run=False) for _ in range(2)]
    back = replace(world, database=copy)

    report = await recovered(back)
    left = await open_letters(back)
    again = await redriven(back)

    assert report.handled_anew == 0
    assert len(left) == 1
    assert counts == [{"unfinished": 1}] * 2
    assert again == {"done": 1}
    assert await open_letters(back) == []
    addresses = {each["canonical"] for each in await back.rows("SELECT canonical FROM emails")}
    assert addresses == {email(0), email(1)}
    await copy.close()


async def test_what_was_found_long_before_is_not_told_as_lost_by_a_recovery_that_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = await registered_long_before(world, Crowd(world), monkeypatch)

    async def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(recover, "take_states", dies)
        with pytest.raises(KeyboardInterrupt):
            await recovered(back)
    second = await recovered(back)

    assert second.lost == []
    assert len(await back.rows("SELECT 1 FROM users WHERE password_hash <> ''")) == 2
    await back.database.close()
