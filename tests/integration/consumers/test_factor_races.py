"""One code through two commands at once, in random interleavings of two writers."""

import asyncio

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus import LoggedIn, PasswordIsChanged
from authbus.commands import ChangePassword, LogIn
from authbus.events import SessionStarted
from authbus.second_factor import (
    CompleteLogIn,
    ConfirmTotp,
    DisableTotp,
    SecondFactorRequired,
    StartTotp,
    SteppedUp,
    StepUp,
    TotpIsDisabled,
)
from authbus_service.auth.acting import Acting
from tests.integration.consumers.racing import COUNTS, PASSWORD, TOKEN, Race, together
from tests.rig.authenticator import App, app_of
from tests.rig.crowd import assert_in_order

NEW = SecretStr("staple them together")


async def enrolled(race: Race, number: int) -> tuple[str, Acting, App]:
    """A user with a second factor that was enabled long ago."""
    email, acting = await race.user(number)
    start = StartTotp(access_token=TOKEN, password=PASSWORD)
    app = app_of(await race.asked(start, acting))
    app.note(await race.asked(ConfirmTotp(access_token=TOKEN, code=app.code()), acting))
    async with race.groups[0].database.transaction() as db:
        passed = text("UPDATE factors SET last_step = last_step - 10 WHERE user_id = :id")
        await db.execute(passed, {"id": acting.user_id})
    return email, acting, app


async def challenge(race: Race, email: str) -> SecretStr:
    answer = await race.asked(LogIn(email=email, password=PASSWORD))
    assert isinstance(answer, SecondFactorRequired)
    return answer.challenge


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("same", ["code", "recovery code", "challenge"])
async def test_of_commands_with_the_same_code_or_challenge_one_starts_a_session(
    race: Race, same: str, count: int
) -> None:
    async def one(number: int) -> None:
        email, _, app = await enrolled(race, number)
        challenges = [await challenge(race, email) for _ in range(3)]
        codes = [app.code()] * 3
        if same == "recovery code":
            codes = [app.recovery_code()] * 3
        if same == "challenge":
            challenges, codes = challenges[:1] * 3, [app.code(), app.code(1), app.recovery_code()]
        halves = [
            CompleteLogIn(challenge=challenge, code=code)
            for challenge, code in zip(challenges, codes, strict=True)
        ]
        answers = await asyncio.gather(*map(race.asked, halves))
        assert sum(isinstance(each, LoggedIn) for each in answers) == 1

    await together(one, count)

    events = await race.events()
    assert_in_order(events)
    assert sum(isinstance(each, SessionStarted) for each in events) == 2 * count
    await race.no_deadlock()


@pytest.mark.parametrize("count", COUNTS)
async def test_of_step_ups_with_the_same_code_one_strengthens_the_session(
    race: Race, count: int
) -> None:
    async def one(number: int) -> None:
        _, acting, app = await enrolled(race, number)
        step_up = StepUp(access_token=TOKEN, code=app.code())
        disable = DisableTotp(access_token=TOKEN, code=step_up.code)
        answers = await asyncio.gather(
            *(race.asked(each, acting) for each in (step_up, disable, step_up))
        )
        assert sum(isinstance(each, SteppedUp | TotpIsDisabled) for each in answers) == 1

    await together(one, count)

    assert_in_order(await race.events())
    await race.no_deadlock()


@pytest.mark.parametrize("count", COUNTS)
async def test_no_session_of_an_old_password_outlives_the_change_whatever_its_challenge(
    race: Race, count: int
) -> None:
    async def one(number: int) -> None:
        email, acting, app = await enrolled(race, number)
        half = CompleteLogIn(challenge=await challenge(race, email), code=app.code())
        change = ChangePassword(access_token=TOKEN, current_password=PASSWORD, new_password=NEW)
        _, changed = await asyncio.gather(race.asked(half), race.asked(change, acting))
        assert isinstance(changed, PasswordIsChanged)

    await together(one, count)

    assert_in_order(await race.events())
    assert len(await race.rows("SELECT id FROM sessions WHERE ended_at IS NULL")) == count
    await race.no_deadlock()
