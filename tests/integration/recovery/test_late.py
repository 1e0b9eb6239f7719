"""Commands whose commits were lost before anything was said of them are handled anew."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from pydantic import SecretStr

from authbus import ChangePassword, LoggedIn, LogIn, Rejected
from authbus.replies import Code
from authbus_service.core import clock
from tests.rig.accident import backup, recovered, serving
from tests.rig.crowd import PASSWORD, Crowd, email
from tests.rig.world import World

NEW = SecretStr("staple them together")


async def test_a_command_whose_commit_was_lost_has_its_effect_as_of_the_time_it_came(
    world: World,
) -> None:
    crowd, draft = Crowd(world), world.web.draft
    async with serving(world):
        (session,) = await crowd.with_sessions(1)
    copy = await backup(world.database)
    expires_at = clock.now() + timedelta(seconds=2)
    change = draft(
        ChangePassword(
            access_token=session.access_token, current_password=PASSWORD, new_password=NEW
        ),
        expirytime=expires_at,
    )
    async with world.consuming():  # without a relay: nothing is said
        (answer,) = await crowd.asked([change])
        (refused,) = await crowd.asked([draft(LogIn(email=email(0), password=PASSWORD))])
    assert refused == Rejected.because(Code.INVALID_CREDENTIALS)
    back = replace(world, database=copy)
    while clock.now() < expires_at:  # noqa: ASYNC110 - a time, not a thing that happens
        await asyncio.sleep(0.05)

    report = await recovered(back)

    assert report.handled_anew == 2
    async with serving(back):
        (again,) = await crowd.asked([change])
        (late,) = await crowd.asked([draft(LogIn(email=email(0), password=NEW))])
    assert (again, type(late)) == (answer, LoggedIn)
    await copy.close()
