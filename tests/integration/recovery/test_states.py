"""States that are told again stand for what is, not for what was when a backup was made."""

from dataclasses import replace

import pytest

from authbus import ProfileSaved, UpdateProfile
from authbus.admin_commands import EraseUser
from authbus.topics import USERS_STATE
from tests.rig.accident import all_said, backup, last_words, recovered, serving
from tests.rig.crowd import Crowd
from tests.rig.operators import by_operator
from tests.rig.replaying import rebuilt
from tests.rig.world import World

pytestmark = pytest.mark.gate


async def test_states_told_again_that_waited_in_a_backup_undo_no_change_and_no_erasure(
    world: World,
) -> None:
    async with serving(world):
        changed, erased, same = await Crowd(world).with_sessions(3)
    await rebuilt(world)
    copy = await backup(world.database)
    await all_said(world)
    change = UpdateProfile(access_token=changed.access_token, profile_version=0, display_name="Ana")
    async with serving(world):
        assert isinstance(await world.web.ask(world.web.draft(change)), ProfileSaved)
        await world.web.ask(
            by_operator(world, lambda by: EraseUser(access_token=by, user_id=erased.user_id))
        )
    before = await last_words(world, USERS_STATE)
    back = replace(world, database=copy)

    await recovered(back)
    await all_said(back)

    assert await last_words(back, USERS_STATE) == before
    assert before[str(erased.user_id)] is None
    assert {before[str(each.user_id)] is not None for each in (changed, same)} == {True}
    await copy.close()
