"""A log-in in two commands on real servers: nothing without the code, and each part good once."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import SecretStr

from authbus import (
    ChangePassword,
    Code,
    LoggedIn,
    LogIn,
    Rejected,
    SessionStarted,
    signing,
)
from authbus.message import Reply
from authbus.second_factor import (
    CompleteLogIn,
    DisableTotp,
    RecoveryCodeUsed,
    SecondFactorRequested,
    SecondFactorRequired,
    StepUp,
    TotpUsed,
)
from tests.integration.consumers.guessing import asked, guess
from tests.rig.authenticator import App, challenged, enrolled, stepped_up, time_passes
from tests.rig.crowd import PASSWORD
from tests.rig.mailed import queued, show
from tests.rig.world import World

EMAIL = "ana@example.com"
NO_CODE = Rejected.because(Code.CODE_INVALID)
OVER = Rejected.because(Code.CHALLENGE_INVALID)
WRONG = SecretStr("000000")


async def ana(world: World) -> tuple[LoggedIn, App]:
    session = await world.session()
    return session, await enrolled(world, session)


async def completed(world: World, challenge: SecretStr, code: SecretStr) -> Reply:
    half = CompleteLogIn(challenge=challenge, code=code)
    return await world.web.ask(world.web.draft(half))


async def test_a_session_starts_with_the_code_and_says_how_in_its_token(world: World) -> None:
    async with world.consuming():
        _, app = await ana(world)
        first = world.web.draft(LogIn(email=EMAIL, password=PASSWORD))
        answers = [await world.web.ask(first), await world.web.ask(first)]
        assert isinstance(answers[0], SecondFactorRequired)
        before = len([each for each in await world.events() if isinstance(each, SessionStarted)])
        challenge = answers[0].challenge
        session = await completed(world, challenge, app.code())

    assert answers[0] == answers[1]
    assert before == 1
    assert isinstance(session, LoggedIn)
    claims = signing.take_apart(session.access_token.get_secret_value()).body
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    *_, requested, used, started = await world.events()
    assert [type(each) for each in (requested, used)] == [SecondFactorRequested, TotpUsed]
    assert isinstance(started, SessionStarted)
    assert started.amr == ("pwd", "otp", "mfa")
    kept = [row["outcome"] for row in await world.rows("SELECT outcome FROM inbox")]
    assert challenge.get_secret_value() not in str(kept)


async def test_a_code_and_a_challenge_are_good_once(world: World) -> None:
    async with world.consuming():
        _, app = await ana(world)
        one, two = await challenged(world, EMAIL), await challenged(world, EMAIL)
        code = app.code()
        answers = [
            await completed(world, one, WRONG),
            await completed(world, one, code),
            await completed(world, one, app.code(1)),
            await completed(world, two, code),
            await completed(world, two, app.code(1)),
            await completed(world, SecretStr("no challenge"), app.code(1)),
        ]

    assert [each if isinstance(each, Rejected) else None for each in answers] == [
        NO_CODE,
        None,
        OVER,
        NO_CODE,
        None,
        OVER,
    ]


async def test_a_recovery_code_is_good_once_and_its_event_tells_how_many_are_left(
    world: World,
) -> None:
    async with world.consuming():
        _, app = await ana(world)
        code = app.recovery_code()
        first = await completed(world, await challenged(world, EMAIL), code)
        again = await completed(world, await challenged(world, EMAIL), code)

    assert isinstance(first, LoggedIn)
    assert again == NO_CODE
    left = [each.left for each in await world.events() if isinstance(each, RecoveryCodeUsed)]
    assert left == [9]


async def test_guesses_at_codes_are_bounded_in_parallel_and_no_right_password_forgives_them(
    world: World,
) -> None:
    world.settings = {"guesses": 5, "guess_wait_seconds": 600}
    async with world.consuming():
        _, app = await ana(world)
        challenge = await challenged(world, EMAIL)
        guesses = [CompleteLogIn(challenge=challenge, code=WRONG) for _ in range(40)]
        drafts = [world.web.draft(each) for each in guesses]
        await asyncio.gather(*(world.web.send(each) for each in drafts))
        heard = [await world.web.heard(each, 1) for each in drafts]
        failed = await world.rows("SELECT * FROM attempts WHERE state = 'kept'")
        audited = await world.rows("SELECT payload FROM outbox WHERE type LIKE '%AuditRecord%'")
        another = await challenged(world, EMAIL)
        answer = await completed(world, another, app.code())

    assert heard == [[NO_CODE]] * 40
    assert len(failed) == 5
    # Five in a minute, and perhaps a minute ended meanwhile.
    assert 5 <= sum(b"code_invalid" in each["payload"] for each in audited) <= 10
    assert answer == NO_CODE


async def test_codes_guessed_from_a_session_are_bounded_and_keep_nobody_out(world: World) -> None:
    world.settings = {"guesses": 5, "guess_wait_seconds": 600}
    async with world.consuming():
        stolen, app = await ana(world)
        guesses = [StepUp(access_token=stolen.access_token, code=WRONG) for _ in range(5)]
        heard = [await world.web.ask(world.web.draft(each)) for each in guesses]
        right = StepUp(access_token=stolen.access_token, code=app.code())
        unseen = await world.web.ask(world.web.draft(right))
        entered = await completed(world, await challenged(world, EMAIL), app.code())

    assert [*heard, unseen] == [NO_CODE] * 6
    assert isinstance(entered, LoggedIn)


@pytest.mark.parametrize("ending", ["password", "factor", "time"])
async def test_a_challenge_is_void_once_what_it_stands_for_is_gone(
    world: World, ending: str
) -> None:
    new = SecretStr("staple them together")
    async with world.consuming():
        session, app = await ana(world)
        challenge, token = await challenged(world, EMAIL), session.access_token
        await stepped_up(world, session, app.code())
        if ending == "password":
            change = ChangePassword(access_token=token, current_password=PASSWORD, new_password=new)
            await world.web.ask(world.web.draft(change))
        elif ending == "factor":
            disable = DisableTotp(access_token=token, code=app.recovery_code())
            await world.web.ask(world.web.draft(disable))
        else:
            async with world.database.transaction() as db:
                await db.exec_driver_sql("UPDATE codes SET expires_at = now()")
        answer = await completed(world, challenge, app.code(1))

    assert answer == OVER


async def test_a_known_device_is_known_by_a_log_in_in_two_halves_too(world: World) -> None:
    async with world.consuming():
        first, app = await ana(world)
        await show(world, EMAIL)
        tokens = []
        for shown, named in ((first.device_token, None), (None, "a phone")):
            half = CompleteLogIn(
                challenge=await challenged(world, EMAIL),
                code=app.code(),
                device=named,
                device_token=shown,
            )
            session = await world.web.ask(world.web.draft(half))
            assert isinstance(session, LoggedIn)
            tokens.append(session.device_token)
            await time_passes(world)

    assert tokens[0] == first.device_token
    assert tokens[1] not in (None, first.device_token)
    assert [each for each, _ in await queued(world)].count("new_device") == 1


async def test_a_known_device_lets_its_user_in_by_both_halves_whoever_guesses_from_its_place(
    world: World,
) -> None:
    here, made_up = "192.0.2.7", SecretStr("made up")
    async with replace(world, settings={"guesses_per_source": 3}).consuming():
        first, app = await ana(world)
        others = [f"user{each}@example.com" for each in range(3)]
        await asked(world, [guess(world, 0, each, ip_address=here) for each in others])
        log_in = LogIn(
            email=EMAIL, password=PASSWORD, device_token=first.device_token, ip_address=here
        )
        half = await world.web.ask(world.web.draft(log_in))
        assert isinstance(half, SecondFactorRequired)
        second = CompleteLogIn(challenge=half.challenge, code=app.code(), ip_address=here)
        *strange, session = [
            await world.web.ask(world.web.draft(second.model_copy(update={"device_token": each})))
            for each in (None, made_up, first.device_token)
        ]

    assert strange == [NO_CODE] * 2
    assert isinstance(session, LoggedIn)
    assert session.device_token == first.device_token


async def test_guesses_at_codes_from_a_known_device_are_bounded_as_all_others(
    world: World,
) -> None:
    async with world.consuming():
        first, app = await ana(world)
        half = CompleteLogIn(
            challenge=await challenged(world, EMAIL),
            code=WRONG,
            device_token=first.device_token,
            ip_address="192.0.2.7",
        )
        drafts = [world.web.draft(half) for _ in range(10)]
        answers = await asked(world, drafts)
        rows = await world.rows("SELECT source FROM attempts WHERE state = 'kept'")
        right = await world.web.ask(world.web.draft(half.model_copy(update={"code": app.code()})))

    assert answers == [NO_CODE] * 10
    assert rows == [{"source": None}] * 5
    assert right == NO_CODE
