"""A second factor on real servers: set up, confirmed, given up; each code once, guesses bounded."""

from pydantic import SecretStr

from authbus import Code, LoggedIn, Rejected
from authbus.events import AnyEvent
from authbus.message import Reply
from authbus.second_factor import (
    ConfirmTotp,
    DisableTotp,
    SessionElevated,
    StartTotp,
    TotpDisabled,
    TotpEnabled,
    TotpIsDisabled,
    TotpRequested,
)
from tests.rig.authenticator import App, enrolled, started
from tests.rig.crowd import PASSWORD
from tests.rig.world import World

NO_CODE = Rejected.because(Code.CODE_INVALID)
WRONG = SecretStr("000000")


async def disabled(world: World, session: LoggedIn, code: SecretStr) -> Reply:
    command = DisableTotp(access_token=session.access_token, code=code)
    return await world.web.ask(world.web.draft(command))


async def kinds(world: World) -> list[type[AnyEvent]]:
    return [type(each) for each in await world.events()][2:]  # pyright: ignore[reportReturnType]


async def test_a_second_factor_counts_once_its_first_code_has_come_back(world: World) -> None:
    async with world.consuming():
        session = await world.session()
        first = await started(world, session)
        second = await started(world, session)
        confirm = [
            ConfirmTotp(access_token=session.access_token, code=each)
            for each in (first.code(), second.code(), second.code(1))
        ]
        answers = [await world.web.ask(world.web.draft(each)) for each in confirm]

    assert answers[0] == NO_CODE
    assert len(set(getattr(answers[1], "recovery_codes", ()))) == 10
    assert answers[2] == Rejected.because(Code.FACTOR_ENABLED)
    assert await kinds(world) == [TotpRequested, TotpRequested, TotpEnabled, SessionElevated]
    (row,) = await world.rows("SELECT * FROM factors")
    assert first.secret not in row["secret"]
    assert second.secret not in row["secret"]
    assert len(row["recovery_codes"]) == 320
    assert [each["second_factor"] for each in await world.rows("SELECT * FROM users")] == [True]


async def test_the_same_command_shows_the_same_secret_again(world: World) -> None:
    web = world.web
    async with world.consuming():
        session = await world.session()
        start = web.draft(StartTotp(access_token=session.access_token, password=PASSWORD))
        secrets = [await web.ask(start), await web.ask(start)]
        app = App(b"")
        app = await started(world, session)
        confirm = web.draft(ConfirmTotp(access_token=session.access_token, code=app.code()))
        codes = [await web.ask(confirm), await web.ask(confirm)]

    assert secrets[0] == secrets[1]
    assert codes[0] == codes[1]


async def test_without_the_password_no_second_factor_is_set_up(world: World) -> None:
    web = world.web
    async with world.consuming():
        session = await world.session()
        token = session.access_token
        asked = [
            StartTotp(access_token=token, password=SecretStr("not this one")),
            StartTotp(access_token=SecretStr("a.b.c"), password=PASSWORD),
            ConfirmTotp(access_token=token, code=SecretStr("123456")),
            DisableTotp(access_token=token, code=SecretStr("123456")),
        ]
        answers = [await web.ask(web.draft(each)) for each in asked]

    assert answers == [
        Rejected.because(each)
        for each in (
            Code.INVALID_CREDENTIALS,
            Code.INVALID_TOKEN,
            Code.FACTOR_MISSING,
            Code.FACTOR_MISSING,
        )
    ]
    assert await kinds(world) == []


async def test_it_is_given_up_by_a_code_that_was_not_used_or_by_a_recovery_code(
    world: World,
) -> None:
    async with world.consuming():
        session = await world.session()
        app = await started(world, session)
        first = app.code()
        confirm = ConfirmTotp(access_token=session.access_token, code=first)
        await world.web.ask(world.web.draft(confirm))
        answers = [await disabled(world, session, each) for each in (first, WRONG, app.code(1))]
        again = await enrolled(world, session)
        by_recovery = SecretStr(again.recovery_codes[3].upper())
        answers.append(await disabled(world, session, by_recovery))

    gone = TotpIsDisabled(user_id=session.user_id)
    assert answers == [NO_CODE, NO_CODE, gone, gone]
    assert await world.rows("SELECT * FROM factors") == []
    assert [each["second_factor"] for each in await world.rows("SELECT * FROM users")] == [False]
    once = [TotpRequested, TotpEnabled, SessionElevated, TotpDisabled]
    assert await kinds(world) == [*once, *once]


async def test_beyond_the_limit_of_guesses_even_a_right_code_is_refused_alike(
    world: World,
) -> None:
    world.settings = {"guesses": 3, "guess_wait_seconds": 600}
    async with world.consuming():
        session = await world.session()
        app = await enrolled(world, session)
        answers = [await disabled(world, session, WRONG) for _ in range(3)]
        answers.append(await disabled(world, session, app.code()))

    assert answers == [NO_CODE] * 4
    assert len(await world.rows("SELECT * FROM factors")) == 1
