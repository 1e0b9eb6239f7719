"""Guesses that auditors were told of by count have no effect at a recovery either."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from authbus import DeactivateUser, LoggedIn, LogIn, ReactivateUser, Rejected
from authbus_service.consumers.auditing import SHOWN
from tests.rig.accident import backup, recovered, serving
from tests.rig.crowd import PASSWORD, Crowd, email
from tests.rig.operators import by_operator
from tests.rig.world import World

WRONG = SecretStr("not the password at all")


async def test_a_guess_that_auditors_were_told_of_by_count_is_not_made_anew(world: World) -> None:
    crowd, draft = Crowd(world), world.web.draft
    async with serving(world):
        (session,) = await crowd.with_sessions(1)
    copy, user_id = await backup(world.database), session.user_id
    guesses = [draft(LogIn(email=email(0), password=PASSWORD)) for _ in range(SHOWN + 3)]
    async with serving(world):
        await crowd.asked(
            [by_operator(world, lambda by: DeactivateUser(access_token=by, user_id=user_id))]
        )
        refused = await crowd.asked(guesses)
        await crowd.asked(
            [by_operator(world, lambda by: ReactivateUser(access_token=by, user_id=user_id))]
        )
    assert {each.code for each in refused if isinstance(each, Rejected)} == {"invalid_credentials"}
    back = replace(world, database=copy)

    await recovered(back)

    assert not await back.rows("SELECT id FROM sessions WHERE ended_at IS NULL")
    await copy.close()


@pytest.mark.parametrize(
    "guesses",
    [*(pytest.param(each, marks=pytest.mark.gate) for each in (SHOWN - 1, SHOWN)), SHOWN + 1],
)
async def test_a_lost_log_in_among_many_wrong_guesses_is_not_taken_for_one(
    world: World, guesses: int
) -> None:
    crowd, draft = Crowd(world), world.web.draft
    async with serving(world):
        await crowd.with_sessions(1)
    copy = await backup(world.database)
    back = replace(world, database=copy)
    wrong, right = (LogIn(email=email(0), password=each) for each in (WRONG, PASSWORD))
    lost = draft(right)
    async with serving(world):
        for each in range(guesses):
            await crowd.asked([draft(wrong)])
            if each == 1:
                await crowd.asked([draft(right)])  # so that nobody has to wait
    async with world.consuming():  # without a relay: nothing is said
        await crowd.asked([lost])

    await recovered(back)

    async with serving(back):
        await world.web.send(lost)
        first, again = await world.web.heard(lost, 2)
    assert isinstance(first, LoggedIn)
    assert isinstance(again, LoggedIn)
    assert again.session_id == first.session_id
    await copy.close()
