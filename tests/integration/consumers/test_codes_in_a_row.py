"""A hundred wrong codes in a row, over however many days, are the last that is looked at."""

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus import Code, EraseAccount, LoggedIn, Rejected, UnlockUser
from authbus.message import Reply
from authbus.second_factor import CompleteLogIn, DisableTotp
from authbus_service.consumers.housekeeping import Housekeeping
from tests.rig.authenticator import App, challenged, enrolled, stepped_up, time_passes
from tests.rig.crowd import PASSWORD
from tests.rig.operators import by_operator
from tests.rig.world import World

EMAIL = "ana@example.com"
NO_CODE = Rejected.because(Code.CODE_INVALID)
WRONG = SecretStr("000000")
# As if there had been so many more of the one that is there, and all of them a month ago.
LONG_AGO = text("UPDATE attempts SET at = at - interval '30 days' WHERE state = 'kept'")
MORE = text(
    "INSERT INTO attempts (key, command_id, source, user_id, state, at, expires_at, content)"
    " SELECT key, gen_random_uuid(), source, user_id, state, at, expires_at, content"
    " FROM attempts, generate_series(1, :more) WHERE state = 'kept'"
)
STATES = "SELECT state FROM attempts WHERE user_id IS NULL AND state <> 'counted'"


async def completed(world: World, code: SecretStr) -> Reply:
    half = CompleteLogIn(challenge=await challenged(world, EMAIL), code=code)
    return await world.web.ask(world.web.draft(half))


async def guessed(world: World, times: int) -> tuple[LoggedIn, App]:
    """Somebody has her password, and so many codes were wrong, each a month ago."""
    session = await world.session()
    app = await enrolled(world, session)
    assert await completed(world, WRONG) == NO_CODE
    async with world.database.transaction() as db:
        await db.execute(LONG_AGO)
        await db.execute(MORE, {"more": times - 1})
    await Housekeeping(world.database).forget()
    return session, app


@pytest.mark.parametrize(("times", "is_let_in"), [(99, True), (100, False)])
async def test_after_a_hundred_wrong_codes_in_a_row_no_code_is_let_in(
    world: World, times: int, *, is_let_in: bool
) -> None:
    async with world.consuming():
        _, app = await guessed(world, times)
        answer = await completed(world, app.code())
        await time_passes(world)
        again = await completed(world, app.code())

    assert [isinstance(each, LoggedIn) for each in (answer, again)] == [is_let_in] * 2
    states = {row["state"] for row in await world.rows(STATES)}
    assert ("kept" in states) is not is_let_in


async def test_an_administrator_lets_codes_in_again(world: World) -> None:
    async with world.consuming():
        session, app = await guessed(world, 100)
        refused = await completed(world, app.code())
        await world.web.ask(
            by_operator(world, lambda by: UnlockUser(access_token=by, user_id=session.user_id))
        )
        answer = await completed(world, app.code())

    assert refused == NO_CODE
    assert isinstance(answer, LoggedIn)


async def test_another_second_factor_begins_with_none_wrong(world: World) -> None:
    async with world.consuming():
        session, app = await guessed(world, 100)
        token = await stepped_up(world, session, app.code())
        await time_passes(world)
        disable = DisableTotp(access_token=token, code=app.code())
        await world.web.ask(world.web.draft(disable))
        other = await enrolled(world, session)
        answer = await completed(world, other.code())

    assert isinstance(answer, LoggedIn)


async def test_of_who_is_erased_no_wrong_code_is_remembered_for_long(world: World) -> None:
    async with world.consuming():
        session, app = await guessed(world, 100)
        token = await stepped_up(world, session, app.code())
        erase = EraseAccount(access_token=token, password=PASSWORD)
        await world.web.ask(world.web.draft(erase))

    assert {row["state"] for row in await world.rows(STATES)} == {"forgiven"}
    await Housekeeping(world.database).forget()
    assert not await world.rows(STATES)
